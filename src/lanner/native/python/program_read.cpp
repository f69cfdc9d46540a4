// Converts tuples and lists of plain data to a program, and checks every shape and every number, so that later code need not.
// lanner.rules.plan.native_program describes each tuple.
#include "python/program_read.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "python/extension.hpp"
#include "python/table.hpp"
#include "rules/transforms.hpp"
#include "rules/value_index.hpp"

namespace lanner {
namespace {

std::vector<PyObject*> items(PyObject* object) {
  if (!PyList_Check(object) && !PyTuple_Check(object)) throw Unfit(std::string("expected a list, not ") + Py_TYPE(object)->tp_name);
  PyObject** first = PySequence_Fast_ITEMS(object);
  return {first, first + PySequence_Fast_GET_SIZE(object)};
}

std::vector<PyObject*> items(PyObject* object, std::size_t count) {
  auto found = items(object);
  if (found.size() != count) throw Unfit("expected a list of " + std::to_string(count) + " items, not of " + std::to_string(found.size()));
  return found;
}

std::string bytes(PyObject* object) {
  if (!PyBytes_Check(object)) throw Unfit(std::string("expected bytes, not ") + Py_TYPE(object)->tp_name);
  return {PyBytes_AS_STRING(object), static_cast<std::size_t>(PyBytes_GET_SIZE(object))};
}

std::uint64_t number(PyObject* object) {
  if (!PyLong_Check(object)) throw Unfit(std::string("expected a number, not ") + Py_TYPE(object)->tp_name);
  const auto found = PyLong_AsUnsignedLongLong(object);
  if (PyErr_Occurred()) {
    PyErr_Clear();
    throw Unfit("a number must be from 0 to 2^64 - 1");
  }
  return found;
}

std::size_t below(PyObject* object, std::size_t limit, const char* what) {
  const auto found = number(object);
  if (found >= limit) throw Unfit("unknown " + std::string(what) + " " + std::to_string(found));
  return static_cast<std::size_t>(found);
}

bool truth(PyObject* object) {
  if (!PyBool_Check(object)) throw Unfit("expected True or False");
  return object == Py_True;
}

std::string word(PyObject* object) {
  const char* text = PyUnicode_Check(object) ? PyUnicode_AsUTF8(object) : nullptr;
  if (!text) {
    PyErr_Clear();
    throw Unfit("expected a word");
  }
  return text;
}

template <typename T, std::size_t N>
T chosen(PyObject* object, const std::array<std::pair<const char*, T>, N>& words) {
  const auto text = word(object);
  for (const auto& [each, value] : words) {
    if (text == each) return value;
  }
  throw Unfit("unknown word \"" + text + "\"");
}

Operator chosen_operator(PyObject* object) {
  const auto name = word(object);
  if (const auto found = operator_of(name)) return *found;
  throw Unfit("unknown word \"" + name + "\"");
}

constexpr std::array<std::pair<const char*, Type::Is>, 7> types{{{"string", Type::Is::text},
                                                                 {"uint64", Type::Is::number},
                                                                 {"reltime", Type::Is::number},
                                                                 {"abstime", Type::Is::number},
                                                                 {"bool", Type::Is::boolean},
                                                                 {"ipaddr", Type::Is::address},
                                                                 {"ipnet", Type::Is::network}}};
constexpr std::array<std::pair<const char*, Modifier>, 3> modifiers{
    {{"anyof", Modifier::anyof}, {"allof", Modifier::allof}, {"oneof", Modifier::oneof}}};
constexpr std::array<std::pair<const char*, Source::Part>, 3> parts{
    {{"", Source::Part::whole}, {"s", Source::Part::seconds}, {"ns", Source::Part::nanoseconds}}};
constexpr std::array<std::pair<const char*, ClockText>, 5> clocks{{{"time", ClockText::time},
                                                                   {"time.s", ClockText::time_seconds},
                                                                   {"time.iso8601", ClockText::iso8601},
                                                                   {"datetime", ClockText::datetime},
                                                                   {"datetime.s", ClockText::datetime_seconds}}};
constexpr std::array<std::pair<const char*, Source::Kind>, 9> sources{{{"python", Source::Kind::python},
                                                                       {"absent", Source::Kind::absent},
                                                                       {"text", Source::Kind::text},
                                                                       {"number", Source::Kind::number},
                                                                       {"json", Source::Kind::json},
                                                                       {"place", Source::Kind::place},
                                                                       {"time", Source::Kind::time},
                                                                       {"elapsed", Source::Kind::elapsed},
                                                                       {"clock", Source::Kind::clock}}};

class ProgramReader {
 public:
  explicit ProgramReader(Program& program) : program_(program) {}

  void program(PyObject* object) {
    const auto found = items(object, 9);
    if (!to_table(found[0], program_.table)) throw PythonError();
    program_.has_time = truth(found[1]);
    program_.reads_payload = !program_.table.trees.empty();
    if (program_.has_time && program_.table.trees.empty()) throw Unfit("the tree for the time is missing");
    for_each(found[2], "slot", [&](PyObject* each) { program_.slots.push_back(source(each)); });
    for_each(found[3], "operand", [&](PyObject* each) { program_.operands.push_back(operand(each)); });
    for_each(found[4], "check", [&](PyObject* each) { program_.checks.push_back(check(each)); });
    for_each(found[5], "node", [&](PyObject* each) { program_.nodes.push_back(node(each)); });
    for_each(found[6], "condition", [&](PyObject* each) {
      program_.conditions.push_back(static_cast<std::uint32_t>(below(each, program_.nodes.size(), "node")));
    });
    place_ = "the index: ";
    const auto index = items(found[7], 2);
    is_indexed_.resize(program_.conditions.size());
    program_.groups.emplace_back();
    for (PyObject* each : items(index[0])) program_.index.push_back(indexed(each));
    program_.groups.front().rules = rules(index[1]);
    index_values(program_);
    for_each(found[8], "wanted operand", [&](PyObject* each) { program_.wanted.push_back(operands(each)); });
    if (program_.wanted.size() != program_.conditions.size()) throw Unfit("expected one list for each rule");
  }

  const std::string& place() const { return place_; }

 private:
  template <typename Read>
  void for_each(PyObject* object, const char* what, Read&& read) {
    place_ = std::string(what) + "s: ";
    std::size_t count = 0;
    for (PyObject* each : items(object)) {
      place_ = std::string(what) + " " + std::to_string(count++) + ": ";
      read(each);
    }
  }

  Source source(PyObject* object) const {
    const auto found = items(object);
    if (found.empty()) throw Unfit("a source needs a word");
    Source result;
    result.kind = chosen(found[0], sources);
    const bool is_json = result.kind == Source::Kind::json;
    const bool is_plain = result.kind == Source::Kind::python || result.kind == Source::Kind::absent || result.kind == Source::Kind::place;
    items(object, is_json ? 3 : is_plain ? 1 : 2);
    switch (result.kind) {
      case Source::Kind::text:
        result.text = bytes(found[1]);
        break;
      case Source::Kind::number:
        result.number = number(found[1]);
        break;
      case Source::Kind::time:
      case Source::Kind::elapsed:
        result.part = chosen(found[1], parts);
        break;
      case Source::Kind::clock:
        result.clock = chosen(found[1], clocks);
        break;
      case Source::Kind::json:
        result.tree = below(found[1], program_.table.trees.size(), "tree");
        result.has_argument = found[2] != Py_None;
        result.is_index = result.has_argument && PyLong_Check(found[2]);
        if (result.is_index) {
          result.number = number(found[2]);
        } else if (result.has_argument) {
          result.text = bytes(found[2]);
        }
        break;
      default:
        break;
    }
    return result;
  }

  Operand operand(PyObject* object) const {
    const auto found = items(object, 4);
    Operand result;
    const auto type = items(found[1], 4);
    result.type = {chosen(type[0], types), truth(type[1]), truth(type[2]), truth(type[3])};
    const auto name = word(found[0]);
    if (name == "slot") {
      result.slot = below(found[2], program_.slots.size(), "slot");
      return result;
    }
    if (name == "constant") {
      result.kind = Operand::Kind::text;
      result.text = bytes(found[2]);
      return result;
    }
    result.kind = Operand::Kind::made;
    result.transformer = transformer_of(name);
    if (!result.transformer) throw Unfit("unknown word \"" + name + "\"");
    for (PyObject* each : items(found[2])) result.operands.push_back(below(each, program_.operands.size(), "operand before this one"));
    const auto count = result.operands.size();
    if (count < result.transformer->least || count > result.transformer->most)
      throw Unfit("\"" + name + "\" has a wrong number of operands");
    result.has_selector = found[3] != Py_None;
    if (result.has_selector) result.text = bytes(found[3]);
    return result;
  }

  std::vector<std::uint32_t> operands(PyObject* object) const {
    std::vector<std::uint32_t> result;
    for (PyObject* each : items(object)) result.push_back(static_cast<std::uint32_t>(below(each, program_.operands.size(), "operand")));
    return result;
  }

  static Constant constant(PyObject* object) {
    Constant result;
    if (PyLong_Check(object)) {
      result.number = number(object);
      return result;
    }
    result.is_text = true;
    if (PyBytes_Check(object)) {
      result.text = bytes(object);
      return result;
    }
    const auto net = items(object, 2);
    result.text = bytes(net[0]);
    result.bits = static_cast<int>(below(net[1], result.text.size() * 8 + 1, "bit"));
    return result;
  }

  Check check(PyObject* object) const {
    const auto found = items(object, 5);
    Check result;
    const auto name = word(found[0]);
    const auto operands = program_.operands.size();
    result.left = below(found[1], operands, "operand");
    const auto& left = program_.operands[result.left].type;
    if (name == "exists") {
      result.is_existence = true;
    } else if (name == "fields") {
      result.right = below(found[3], operands, "operand");
      const auto& right = program_.operands[result.right].type;
      result.compare = {chosen_operator(found[2]), left.is_list, left.is == Type::Is::text, left.is_terminated, right.is_terminated};
    } else if (name == "constants") {
      std::vector<Constant> constants;
      for (PyObject* each : items(found[3])) constants.push_back(constant(each));
      result.predicate =
          make_predicate(chosen_operator(found[2]), constants, found[4] == Py_None ? Modifier::none : chosen(found[4], modifiers), left);
    } else {
      throw Unfit("unknown word \"" + name + "\"");
    }
    return result;
  }

  Node node(PyObject* object) {
    const auto found = items(object);
    if (found.empty()) throw Unfit("a node needs a word");
    const auto name = word(found[0]);
    Node result;
    if (name == "python") {
      items(object, 1);
      result.kind = Node::Kind::open;
      return result;
    }
    items(object, 2);
    if (name == "check") {
      result.check = static_cast<std::uint32_t>(below(found[1], program_.checks.size(), "check"));
      return result;
    }
    result.kind = name == "not" ? Node::Kind::negation : name == "all" ? Node::Kind::all : Node::Kind::some;
    if (name != "not" && name != "all" && name != "some") throw Unfit("unknown word \"" + name + "\"");
    result.begin = static_cast<std::uint32_t>(program_.children.size());
    // children come before their parents, so that no cycle is possible
    for (PyObject* each : items(found[1]))
      program_.children.push_back(static_cast<std::uint32_t>(below(each, program_.nodes.size(), "node before this one")));
    result.end = static_cast<std::uint32_t>(program_.children.size());
    if (result.kind == Node::Kind::negation && result.end != result.begin + 1) throw Unfit("a negation must have one child");
    return result;
  }

  // Numbers of rules in order. Among all lists that one event can select, a rule is in at most one
  std::vector<std::uint32_t> rules(PyObject* object) {
    std::vector<std::uint32_t> result;
    for (PyObject* each : items(object)) result.push_back(static_cast<std::uint32_t>(below(each, program_.conditions.size(), "rule")));
    if (!std::is_sorted(result.begin(), result.end(), std::less_equal<>())) throw Unfit("rules must be in order");
    for (const auto rule : result) {
      if (is_indexed_[rule]) throw Unfit("rule " + std::to_string(rule) + " is indexed twice");
    }
    return result;
  }

  IndexedField indexed(PyObject* object) {
    const auto found = items(object, 2);
    IndexedField result;
    result.slot = below(found[0], program_.slots.size(), "slot");
    std::vector<std::uint32_t> all;
    // values that select the same rules share their group
    std::map<std::vector<std::uint32_t>, std::uint32_t> groups;
    for (PyObject* each : items(found[1])) {
      const auto entry = items(each, 2);
      auto numbers = rules(entry[1]);
      all.insert(all.end(), numbers.begin(), numbers.end());
      const auto [group, is_new] = groups.try_emplace(std::move(numbers), static_cast<std::uint32_t>(program_.groups.size()));
      if (is_new) program_.groups.push_back({group->first, {}});
      if (PyBytes_Check(entry[0])) {
        result.texts[bytes(entry[0])] = group->second;
      } else {
        result.numbers[number(entry[0])] = group->second;
      }
    }
    for (const auto rule : all) is_indexed_[rule] = true;
    return result;
  }

  Program& program_;
  std::vector<bool> is_indexed_;
  std::string place_;
};

}  // namespace

bool to_program(PyObject* object, Program& program) {
  ProgramReader reading(program);
  try {
    reading.program(object);
    return true;
  } catch (const PythonError&) {
    return false;
  } catch (const std::runtime_error& error) {
    PyErr_Format(PyExc_ValueError, "not a program: %s%s", reading.place().c_str(), error.what());
    return false;
  }
}

}  // namespace lanner
