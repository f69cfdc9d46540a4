#include "python/json.hpp"

#include <simdjson.h>

#include <string>
#include <string_view>

#include "python/ref.hpp"

namespace lanner {

namespace {

namespace dom = simdjson::dom;

Ref to_text(std::string_view text) { return checked(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "strict")); }

// The depth is limited by the parser.
Ref to_object(const dom::element& element) {
  switch (element.type()) {
    case dom::element_type::ARRAY: {
      Ref list = checked(PyList_New(0));
      for (const dom::element item : dom::array(element)) {
        if (PyList_Append(list.get(), to_object(item).get()) < 0) throw PythonError();
      }
      return list;
    }
    case dom::element_type::OBJECT: {
      Ref members = checked(PyDict_New());
      for (const auto& [name, value] : dom::object(element)) {
        if (PyDict_SetItem(members.get(), to_text(name).get(), to_object(value).get()) < 0) throw PythonError();
      }
      return members;
    }
    case dom::element_type::INT64:
      return checked(PyLong_FromLongLong(std::int64_t(element)));
    case dom::element_type::UINT64:
      return checked(PyLong_FromUnsignedLongLong(std::uint64_t(element)));
    case dom::element_type::DOUBLE:
      return checked(PyFloat_FromDouble(double(element)));
    case dom::element_type::STRING:
      return to_text(std::string_view(element));
    case dom::element_type::BOOL:
      return Ref::borrowed(bool(element) ? Py_True : Py_False);
    default:
      return Ref::borrowed(Py_None);
  }
}

void append_text(PyObject* text, std::string& out) {
  Py_ssize_t size;
  const char* const data = PyUnicode_AsUTF8AndSize(text, &size);
  if (!data) throw PythonError();
  out += '"';
  for (const char letter : std::string_view(data, static_cast<std::size_t>(size))) {
    constexpr std::string_view escaped = "\"\\\b\f\n\r\t", names = "\"\\bfnrt";
    if (const auto place = escaped.find(letter); place != std::string_view::npos) {
      out += '\\';
      out += names[place];
    } else if (static_cast<unsigned char>(letter) < 0x20) {
      constexpr const char* digits = "0123456789abcdef";
      out += "\\u00";
      out += digits[letter >> 4];
      out += digits[letter & 15];
    } else {
      out += letter;
    }
  }
  out += '"';
}

void append(PyObject* value, std::string& out) {
  const struct Level {
    Level() {
      if (Py_EnterRecursiveCall(" while encoding JSON")) throw PythonError();
    }
    ~Level() { Py_LeaveRecursiveCall(); }
  } level;
  if (PyUnicode_Check(value)) {
    append_text(value, out);
  } else if (value == Py_None || PyBool_Check(value)) {
    out += value == Py_None ? "null" : value == Py_True ? "true" : "false";
  } else if (PyLong_Check(value)) {
    const Ref digits = checked(PyNumber_ToBase(value, 10));
    const char* const text = PyUnicode_AsUTF8(digits.get());
    if (!text) throw PythonError();
    out += text;
  } else if (PyList_Check(value) || PyTuple_Check(value)) {
    out += '[';
    for (Py_ssize_t place = 0; place < PySequence_Fast_GET_SIZE(value); ++place) {
      if (place) out += ',';
      append(PySequence_Fast_GET_ITEM(value, place), out);
    }
    out += ']';
  } else if (PyDict_Check(value)) {
    out += '{';
    const auto begin = out.size();
    PyObject *name, *member;
    for (Py_ssize_t place = 0; PyDict_Next(value, &place, &name, &member);) {
      if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "a name in JSON must be str, not %.100s", Py_TYPE(name)->tp_name);
        throw PythonError();
      }
      if (out.size() != begin) out += ',';
      append_text(name, out);
      out += ':';
      append(member, out);
    }
    out += '}';
  } else {
    PyErr_Format(PyExc_TypeError, "JSON has no %.100s here", Py_TYPE(value)->tp_name);
    throw PythonError();
  }
}

// Returns call(), or null with an exception set.
template <typename Call>
PyObject* returned(Call&& call) {
  try {
    return call();
  } catch (const PythonError&) {
    return nullptr;
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_MemoryError, error.what());
    return nullptr;
  }
}

}  // namespace

PyObject* py_encode_json(PyObject*, PyObject* value) {
  return returned([&] {
    std::string out;
    append(value, out);
    return PyBytes_FromStringAndSize(out.data(), static_cast<Py_ssize_t>(out.size()));
  });
}

PyObject* py_decode_json(PyObject*, PyObject* text) {
  char* data;
  Py_ssize_t size;
  if (PyBytes_AsStringAndSize(text, &data, &size) < 0) return nullptr;
  return returned([&]() -> PyObject* {
    dom::parser parser;
    dom::element root;
    if (const auto error = parser.parse(data, static_cast<std::size_t>(size)).get(root)) {
      PyErr_SetString(PyExc_ValueError, simdjson::error_message(error));
      return nullptr;
    }
    return to_object(root).release();
  });
}

}  // namespace lanner
