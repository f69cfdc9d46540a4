// Converts lists of plain data to value trees, and checks every shape, so that later code need not.
#include "python/table.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "python/extension.hpp"

namespace lanner {
namespace {

// Larger trees do not occur, and evaluation recurses: without limits a list that contains itself would never end, and one that
// is contained twice at each level would have 2^100 leaves.
constexpr int max_levels = 100;
constexpr std::size_t max_values = 100'000;

std::string kind(PyObject* object) { return Py_TYPE(object)->tp_name; }

// The items of a list or tuple, borrowed: no code here runs Python code that could change it.
std::vector<PyObject*> items(PyObject* object, const char* what) {
  if (!PyList_Check(object) && !PyTuple_Check(object)) throw Unfit(std::string(what) + " must be a list, not " + kind(object));
  PyObject** first = PySequence_Fast_ITEMS(object);
  return {first, first + PySequence_Fast_GET_SIZE(object)};
}

std::string text(PyObject* object, const char* what) {
  if (!PyUnicode_Check(object)) throw Unfit(std::string(what) + " must be a string, not " + kind(object));
  Py_ssize_t size;
  const char* data = PyUnicode_AsUTF8AndSize(object, &size);
  if (!data) {
    PyErr_Clear();
    throw Unfit(std::string(what) + " must be a string that UTF-8 can encode");
  }
  return {data, static_cast<std::size_t>(size)};
}

// The value of a dict with one member of this name; null for other objects. Compared, not looked up: that could run a key's own __eq__
PyObject* marked(PyObject* object, const char* name) {
  if (!PyDict_Check(object) || PyDict_Size(object) != 1) return nullptr;
  PyObject* key;
  PyObject* value;
  Py_ssize_t place = 0;
  PyDict_Next(object, &place, &key, &value);
  return PyUnicode_Check(key) && PyUnicode_CompareWithASCIIString(key, name) == 0 ? value : nullptr;
}

bool is(PyObject* object, const char* word) {
  return object && PyUnicode_Check(object) && PyUnicode_CompareWithASCIIString(object, word) == 0;
}

bool is_argument(PyObject* object) {
  PyObject* const argument = marked(object, "argument");
  return is(argument, "key") || is(argument, "index");
}

std::uint64_t number(PyObject* object, const char* what) {
  if (PyLong_Check(object) && !PyBool_Check(object)) {
    const auto number = PyLong_AsUnsignedLongLong(object);
    if (!PyErr_Occurred()) return number;
    PyErr_Clear();
  }
  throw Unfit(std::string(what) + " must be from 0 to 2^64 - 1");
}

// A step of a path: a name, a number, {"argument": "key" | "index"}, {"each": "all" | "index"} or ["where", name, text...].
Step step(PyObject* object) {
  if (PyUnicode_Check(object)) return text(object, "a name in a path");
  if (PyLong_Check(object) && !PyBool_Check(object)) return number(object, "a number in a path");
  if (is_argument(object)) return Argument{};
  PyObject* const each = marked(object, "each");
  if (is(each, "all") || is(each, "index")) return Each{is(each, "index")};
  if (PyList_Check(object) || PyTuple_Check(object)) {
    const auto parts = items(object, "a condition");
    if (parts.size() < 2 || !is(parts[0], "where")) throw Unfit("a condition in a path must be [\"where\", name, text...]");
    Where where{text(parts[1], "a name in a path"), {}};
    for (std::size_t place = 2; place < parts.size(); ++place) where.texts.push_back(text(parts[place], "an operand of \"where\""));
    return where;
  }
  throw Unfit("a step of a path must be a string, a number, or {\"argument\": \"key\"} or \"index\", not " + kind(object));
}

std::string separator(std::string text) {
  if (text.empty()) throw Unfit("a separator must not be empty");
  return text;
}

std::uint64_t factor(const std::string& unit) {
  if (unit == "ns") return 1;
  if (unit == "us") return 1'000;
  if (unit == "ms") return 1'000'000;
  if (unit == "s") return 1'000'000'000;
  throw Unfit("unknown time unit \"" + unit + "\"");
}

std::shared_ptr<const Pattern> make_pattern(const std::string& expression) {
  // the module is imported only for a pattern
  const Ref module(PyImport_ImportModule("lanner.native._pattern"));
  const auto* engine = module ? static_cast<const RegexEngine*>(PyCapsule_Import(regex_engine_name, 0)) : nullptr;
  if (!engine) throw PythonError();
  try {
    return std::make_shared<const Pattern>(*engine, expression);
  } catch (const std::runtime_error& error) {
    throw Unfit(error.what());
  }
}

class Compiler {
 public:
  explicit Compiler(Places& places) : places_(places), forms_(places.forms) {}

  Value value(PyObject* tree, int level = 0) {
    if (level == 0) shared_ = 0;
    auto result = of(tree, level);
    result.has_lists = result.is_list || result.kind == Value::Kind::shared;
    for (const auto& child : result.children) result.has_lists |= child.has_lists;
    return result;
  }

 private:
  Value of(PyObject* tree, int level) {
    if (level > max_levels) throw Unfit("the value is nested more than 100 levels deep");
    if (++values_ > max_values) throw Unfit("it contains more than 100000 values");
    const auto parts = items(tree, "a value");
    if (parts.empty()) throw Unfit("a value must be a word with its operands, not an empty list");
    const auto word = text(parts[0], "the word of a value");
    const auto expect = [&](std::size_t operands) {
      if (parts.size() != operands + 1)
        throw Unfit("\"" + word + "\" takes " + std::to_string(operands) + " operands, not " + std::to_string(parts.size() - 1));
    };
    const auto child = [&](std::size_t place) { return value(parts[place], level + 1); };
    const auto children = [&](const char* what) {
      std::vector<Value> result;
      for (PyObject* each : items(parts[1], what)) result.push_back(value(each, level + 1));
      return result;
    };
    Value result;
    if (word == "path" || word == "item") {
      expect(1);
      return path(parts[1], word == "item");
    }
    if (word == "first") {
      expect(1);
      result.kind = Value::Kind::first;
      result.children = children("the operand of \"first\"");
      if (result.children.empty()) return result;
      as(result, result.children.front());
      for (const auto& option : result.children) {
        if (option.type != result.type || option.is_list != result.is_list) throw Unfit("the operands of \"first\" have different types");
      }
    } else if (word == "when" || word == "unless") {
      expect(3);
      result.kind = Value::Kind::when;
      result.is_negated = word == "unless";
      result.children = {child(1), child(2)};
      as(result, result.children[0]);
      const std::string what = "operand of \"" + word + "\"";
      for (PyObject* each : items(parts[3], ("the last " + what).c_str())) result.texts.push_back(text(each, ("an " + what).c_str()));
    } else if (word == "each") {
      expect(2);
      result.kind = Value::Kind::each;
      result.children.push_back(child(1));
      ++items_;
      result.children.push_back(child(2));
      --items_;
      if (result.children[0].kind != Value::Kind::path || !result.children[0].is_list) throw Unfit("\"each\" needs a path to items");
      result.type = result.children[1].type;
      result.is_list = true;
    } else if (word == "shared") {
      expect(1);
      if (items_ == 0) throw Unfit("\"shared\" is outside \"each\"");
      result.kind = Value::Kind::shared;
      result.children = {child(1)};
      result.number = shared_++;
      as(result, result.children[0]);
    } else if (word == "given") {
      expect(0);
      result.kind = Value::Kind::given;
      result.type = ValueType::boolean;
    } else if (word == "constant") {
      expect(1);
      result.kind = Value::Kind::constant;
      result.text = text(parts[1], "a constant");
      if (result.text.find('\0') != std::string::npos) throw Unfit("a constant must not contain NUL");
    } else if (word == "concat") {
      expect(1);
      result.kind = Value::Kind::concat;
      result.children = children("the operand of \"concat\"");
      for (const auto& each : result.children) {
        if (each.type != ValueType::text || each.is_list) throw Unfit("\"concat\" needs strings");
      }
    } else if (word == "pointer" || word == "logfmt" || word == "cef") {
      expect(1);
      result.kind = word == "pointer" ? Value::Kind::pointer : word == "cef" ? Value::Kind::cef : Value::Kind::logfmt;
      (word == "pointer" ? forms_.reads_pointers : word == "cef" ? forms_.reads_cef : forms_.reads_logfmt) = true;
      result.takes_argument = is_argument(parts[1]);
      if (!result.takes_argument) result.text = text(parts[1], "a name");
    } else if (word == "group") {
      expect(2);
      return group(text(parts[1], "a pattern"), text(parts[2], "the name of a group"));
    } else if (const Word* found = word_of(word)) {
      if (parts.size() < 2) expect(1);
      result.word = found;
      result.children = {child(1)};
      result.type = found->gives;
      take_operands(result, parts, expect);
      check_word(result);
    } else {
      throw Unfit("unknown word \"" + word + "\"");
    }
    return result;
  }

  static void as(Value& value, const Value& other) {
    value.type = other.type;
    value.is_list = other.is_list;
  }

  Value path(PyObject* object, bool is_of_item) {
    if (is_of_item && items_ == 0) throw Unfit("\"item\" is outside \"each\"");
    std::vector<Step> steps;
    bool has_items = false;
    for (PyObject* each : items(object, "a path")) {
      steps.push_back(step(each));
      has_items |= std::holds_alternative<Each>(steps.back());
      if (std::holds_alternative<Where>(steps.back()) && !has_items) throw Unfit("a condition in a path needs items before it");
    }
    return make_path(std::move(steps), is_of_item, places_);
  }

  Value group(const std::string& expression, const std::string& name) {
    auto& patterns = forms_.patterns;
    auto entry = std::find_if(patterns.begin(), patterns.end(), [&](const auto& each) { return each.expression == expression; });
    if (entry == patterns.end()) {
      patterns.push_back({expression, make_pattern(expression)});
      entry = std::prev(patterns.end());
    }
    Value result;
    result.kind = Value::Kind::group;
    result.place = static_cast<std::uint32_t>(entry - patterns.begin());
    result.number = entry->pattern->group(name);
    if (result.number == 0) throw Unfit("the pattern has no group \"" + name + "\"");
    entry->groups = std::max<std::size_t>(entry->groups, result.number + 1);
    return result;
  }

  template <typename Expect>
  static void take_operands(Value& result, const std::vector<PyObject*>& parts, const Expect& expect) {
    using Operand = Word::Operand;
    const auto operand = result.word->operand;
    if (operand == Operand::texts || operand == Operand::any_texts) {
      if (operand == Operand::texts && parts.size() < 3) expect(2);
      for (std::size_t place = 2; place < parts.size(); ++place) result.texts.push_back(text(parts[place], "an operand of a word"));
      return;
    }
    expect(operand == Operand::none ? 1 : 2);
    if (operand == Operand::none) return;
    PyObject* const given = parts[2];
    switch (operand) {
      case Operand::separator:
        result.text = separator(text(given, "a separator"));
        break;
      case Operand::joint:
        result.text = text(given, "a separator");
        break;
      case Operand::time_form:
        if (const auto form = PyUnicode_Check(given) ? date_form_of(text(given, "a form of time")) : std::nullopt) {
          result.form = *form;
          break;
        }
        [[fallthrough]];
      case Operand::unit:
        result.number = factor(text(given, "a unit of time"));
        break;
      case Operand::name:
        result.takes_argument = is_argument(given);
        if (!result.takes_argument) result.text = text(given, "a name");
        break;
      default:
        result.takes_argument = is_argument(given);
        if (!result.takes_argument) result.number = number(given, "an index");
    }
  }

  // The kind and the type of a word, by its operand
  static void check_word(Value& result) {
    const auto& operand = result.children[0];
    const auto name = result.word->name;
    const auto need = [&](bool has, const char* what) {
      if (!has) throw Unfit("\"" + std::string(name) + "\" needs " + what + " as its operand");
    };
    const bool is_text = operand.type == ValueType::text;
    if (result.word->make) {
      result.kind = Value::Kind::word;
      result.is_list = operand.is_list;
      need(is_text || (name == "text" && operand.type != ValueType::address), "a string");
    } else if (name == "keys") {
      need(operand.kind == Value::Kind::path, "a path");
      result = make_keys(Value(operand));
    } else if (name == "split") {
      result.kind = Value::Kind::split;
      result.is_list = true;
      need(is_text && !operand.is_list, "a string");
    } else if (name == "listed") {
      result.kind = Value::Kind::listed;
      result.type = operand.type;
      result.is_list = true;
      need(!operand.is_list, "one value");
    } else if (name == "exists" || name == "present") {
      result.kind = Value::Kind::exists;
    } else {
      need(operand.is_list, "a list");
      if (name == "nth" || name == "every") {
        result.kind = name == "nth" ? Value::Kind::nth : Value::Kind::every;
        result.type = operand.type;
        result.is_list = name == "every";
      } else if (name == "any") {
        result.kind = Value::Kind::any;
        need(result.texts.empty() ? operand.type == ValueType::boolean : is_text, "booleans, or strings to compare with,");
      } else {
        result.kind = name == "join" ? Value::Kind::join : Value::Kind::without;
        result.is_list = name == "without";
        need(is_text, "strings");
      }
    }
  }

  Places& places_;
  Forms& forms_;
  std::size_t values_ = 0;
  int items_ = 0;             // the number of `each` around the tree
  std::uint64_t shared_ = 0;  // the number of shared parts in the tree so far
};

}  // namespace

bool to_table(PyObject* object, Table& table) {
  std::string place;
  try {
    Compiler compiler(table.places);
    for (PyObject* tree : items(object, "a table")) {
      place = "slot " + std::to_string(table.trees.size()) + ": ";
      table.trees.push_back(compiler.value(tree));
    }
    return true;
  } catch (const PythonError&) {
    return false;
  } catch (const Unfit& error) {
    PyErr_Format(PyExc_ValueError, "not a table of values: %s%s", place.c_str(), error.what());
    return false;
  }
}

PyObject* to_misfits(std::vector<Misfits>& misfits) {
  Ref list = checked(PyList_New(0));
  for (auto& each : misfits) {
    const Ref counts = checked(PyDict_New());
    for (std::size_t kind = 0; kind < each.size(); ++kind) {
      const auto number = std::atomic_ref(each[kind]).load(std::memory_order_relaxed);
      if (number == 0) continue;
      const Ref count = checked(PyLong_FromUnsignedLongLong(number));
      if (PyDict_SetItemString(counts.get(), misfit_names[kind].data(), count.get()) < 0) throw PythonError();
    }
    if (PyList_Append(list.get(), counts.get()) < 0) throw PythonError();
  }
  return list.release();
}

}  // namespace lanner
