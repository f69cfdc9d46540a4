// Converts lists of plain data to value trees, and checks every shape, so that later code need not.
#include "python/table.hpp"

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
  if (!PyUnicode_Check(object)) throw Unfit(std::string(what) + " must be a text, not " + kind(object));
  Py_ssize_t size;
  const char* data = PyUnicode_AsUTF8AndSize(object, &size);
  if (!data) {
    PyErr_Clear();
    throw Unfit(std::string(what) + " must be a text that UTF-8 can encode");
  }
  return {data, static_cast<std::size_t>(size)};
}

// A step of a path: a name, a number, or {"argument": "key" | "index"}.
Step step(PyObject* object) {
  if (PyUnicode_Check(object)) return text(object, "a name in a path");
  if (PyLong_Check(object) && !PyBool_Check(object)) {
    const auto number = PyLong_AsUnsignedLongLong(object);
    if (!PyErr_Occurred()) return static_cast<std::uint64_t>(number);
    PyErr_Clear();
    throw Unfit("a number in a path must be from 0 to 2^64 - 1");
  }
  if (PyDict_Check(object) && PyDict_Size(object) == 1) {
    // compared, not looked up: a lookup could run a key's own __eq__
    PyObject* key;
    PyObject* argument;
    Py_ssize_t place = 0;
    const auto is = [](PyObject* word, const char* wanted) {
      return PyUnicode_Check(word) && PyUnicode_CompareWithASCIIString(word, wanted) == 0;
    };
    PyDict_Next(object, &place, &key, &argument);
    if (is(key, "argument") && (is(argument, "key") || is(argument, "index"))) return Argument{};
  }
  throw Unfit("a step of a path must be a text, a number, or {\"argument\": \"key\"} or \"index\", not " + kind(object));
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

class Compiler {
 public:
  explicit Compiler(Places& places) : places_(places) {}

  Value value(PyObject* tree, int level = 0) {
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
    Value result;
    if (word == "path") {
      expect(1);
      std::vector<Step> steps;
      for (PyObject* each : items(parts[1], "a path")) steps.push_back(step(each));
      result = make_path(Value::Kind::path, std::move(steps), places_);
    } else if (word == "first") {
      expect(1);
      result.kind = Value::Kind::first;
      for (PyObject* option : items(parts[1], "the operand of \"first\"")) result.children.push_back(value(option, level + 1));
    } else if (word == "when") {
      expect(3);
      result.kind = Value::Kind::when;
      result.children = {child(1), child(2)};
      for (PyObject* each : items(parts[3], "the last operand of \"when\"")) result.texts.push_back(text(each, "an operand of \"when\""));
    } else if (word == "keys") {
      expect(1);
      result = child(1);
      if (result.kind != Value::Kind::path) throw Unfit("\"keys\" needs a path as its operand");
      result.kind = Value::Kind::keys;
    } else if (const Word* found = word_of(word)) {
      expect(found->operand == Word::Operand::none ? 1 : 2);
      result.kind = Value::Kind::word;
      result.word = found;
      result.children = {child(1)};
      if (found->operand == Word::Operand::separator) result.separator = separator(text(parts[2], "a separator"));
      if (found->operand == Word::Operand::unit) result.factor = factor(text(parts[2], "a unit of time"));
    } else {
      throw Unfit("unknown word \"" + word + "\"");
    }
    return result;
  }

 private:
  Places& places_;
  std::size_t values_ = 0;
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
  } catch (const Unfit& error) {
    PyErr_Format(PyExc_ValueError, "not a table of values: %s%s", place.c_str(), error.what());
    return false;
  }
}

}  // namespace lanner
