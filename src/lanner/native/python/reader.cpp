// The Python type lanner.native.Reader: a table of value trees, one payload at a time. See _native.pyi for its interface.
#include "python/reader.hpp"

#include <array>

#include "python/extension.hpp"
#include "python/table.hpp"
#include "values/document.hpp"
#include "values/values.hpp"

namespace lanner {
namespace {

// Short strings recur often (types, actions, names): sharing the str object saves its creation and its hash.
class Texts {
 public:
  // A new reference, null with an error set.
  PyObject* get(std::string_view text) {
    if (text.size() > max_size) return decode(text);
    Ref& place = kept_[std::hash<std::string_view>{}(text) % kept_.size()];
    if (place) {
      Py_ssize_t kept_size;
      const char* kept = PyUnicode_AsUTF8AndSize(place.get(), &kept_size);
      if (!kept) return nullptr;
      if (text == std::string_view(kept, static_cast<std::size_t>(kept_size))) return place.share();
    }
    Ref made(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr));
    if (!made) {
      PyErr_Clear();
      return decode(text);  // not kept: a str with escapes has no UTF-8 to compare with
    }
    place = std::move(made);
    return place.share();
  }

 private:
  // With escapes for bytes that are not UTF-8, as lanner.sdk.text.encoding has them
  static PyObject* decode(std::string_view text) {
    return PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape");
  }

  static constexpr std::size_t max_size = 80;
  std::array<Ref, 1024> kept_;
};

struct ReaderState {
  Table table;
  std::vector<Misfits> misfits;  // by slot
  Document document{table.places};
  Arena arena;
  Texts texts;
};

PyObject* to_python(const Scalar& value, ValueType type, Texts& texts) {
  if (!value.is_text) return type == ValueType::boolean ? PyBool_FromLong(value.number != 0) : PyLong_FromUnsignedLongLong(value.number);
  return type == ValueType::address ? to_bytes(value.text) : texts.get(value.text);
}

PyObject* to_python(const Result& result, ValueType type, Texts& texts) {
  if (const auto* text = std::get_if<std::string_view>(&result)) return to_python(Scalar::of(*text), type, texts);
  if (const auto* number = std::get_if<std::uint64_t>(&result)) return to_python(Scalar::of(*number), type, texts);
  const auto* items = std::get_if<Items>(&result);
  if (!items) Py_RETURN_NONE;
  Ref tuple(PyTuple_New(static_cast<Py_ssize_t>(items->size())));
  if (!tuple) return nullptr;
  Py_ssize_t place = 0;
  for (const auto& each : *items) {
    PyObject* item = to_python(each, type, texts);
    if (!item) return nullptr;
    PyTuple_SET_ITEM(tuple.get(), place++, item);
  }
  return tuple.release();
}

// The argument of get(): false with an error set unless it is text, a number or None. A number that cannot be an index is none.
// `kept` owns the bytes of a string with escapes.
bool to_given(PyObject* argument, Given& given, Ref& kept) {
  if (!argument || argument == Py_None) return true;
  if (PyUnicode_Check(argument)) {
    Py_ssize_t size;
    const char* data = PyUnicode_AsUTF8AndSize(argument, &size);
    if (data) {
      given = std::string_view(data, static_cast<std::size_t>(size));
    } else {
      PyErr_Clear();
      kept = Ref(PyUnicode_AsEncodedString(argument, "utf-8", "surrogateescape"));
      if (kept) {
        given = view_of(kept.get());
      } else {
        PyErr_Clear();  // half of a surrogate pair: no member has such a name
      }
    }
    return true;
  }
  if (PyLong_Check(argument) && !PyBool_Check(argument)) {
    const auto number = PyLong_AsUnsignedLongLong(argument);
    if (PyErr_Occurred()) {
      PyErr_Clear();
    } else {
      given = static_cast<std::uint64_t>(number);
    }
    return true;
  }
  PyErr_SetString(PyExc_TypeError, "the argument of a field must be a str, an int or None");
  return false;
}

PyObject* reader_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"table", nullptr};
  PyObject* table;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Reader", const_cast<char**>(names), &table)) return nullptr;
  try {
    auto state = std::make_unique<ReaderState>();
    if (!to_table(table, state->table)) return nullptr;
    state->misfits.resize(state->table.trees.size());
    return hold(type, std::move(state));
  } catch (...) {
    return failed();
  }
}

PyObject* reader_load(PyObject* self, PyObject* payload) {
  if (!PyBytes_Check(payload)) return PyErr_Format(PyExc_TypeError, "a payload must be bytes, not %.100s", Py_TYPE(payload)->tp_name);
  try {
    return PyBool_FromLong(content_of<ReaderState>(self).document.load(view_of(payload)));
  } catch (...) {
    return failed();
  }
}

PyObject* reader_get(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count < 1 || count > 2) return PyErr_Format(PyExc_TypeError, "get takes a slot and an argument, not %zd values", count);
  auto& state = content_of<ReaderState>(self);
  const auto slot = PyLong_AsSsize_t(args[0]);
  if (slot == -1 && PyErr_Occurred()) return nullptr;
  if (slot < 0 || static_cast<std::size_t>(slot) >= state.table.trees.size())
    return PyErr_Format(PyExc_IndexError, "unknown slot %zd", slot);
  Given given;
  Ref kept;
  if (!to_given(count == 2 ? args[1] : nullptr, given, kept)) return nullptr;
  try {
    state.arena.clear();
    const auto number = static_cast<std::size_t>(slot);
    const auto& tree = state.table.trees[number];
    return to_python(state.document.read(tree, given, state.arena, &state.misfits[number]), tree.type, state.texts);
  } catch (...) {
    return failed();
  }
}

PyObject* reader_misfits(PyObject* self, PyObject*) {
  try {
    return to_misfits(content_of<ReaderState>(self).misfits);
  } catch (...) {
    return failed();
  }
}

PyObject* reader_has_invalid_utf8(PyObject* self, void*) {
  return PyBool_FromLong(content_of<ReaderState>(self).document.has_invalid_utf8());
}

PyMethodDef reader_methods[] = {
    {"load", reader_load, METH_O, "load(payload: bytes) -> bool\n\nLoad the next payload, and return whether all of it is valid JSON."},
    {"get", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(reader_get)), METH_FASTCALL,
     "get(slot: int, argument: str | int | None = None) -> FieldValue\n\nReturn the value of the tree at slot."},
    {"misfits", reader_misfits, METH_NOARGS,
     "misfits() -> list[dict[str, int]]\n\nReturn for each slot how often a value had another type than the field, by its JSON type."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef reader_attributes[] = {
    {"has_invalid_utf8", reader_has_invalid_utf8, nullptr, "Whether strings of the loaded payload have no UTF-8. Their bytes are escapes.",
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot reader_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(reader_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(drop<ReaderState>)},
    {Py_tp_methods, reader_methods},
    {Py_tp_getset, reader_attributes},
    {Py_tp_doc, const_cast<char*>("Reads values from one payload at a time. For one thread at a time.")},
    {0, nullptr},
};

PyType_Spec reader_spec = {"lanner.native.Reader", sizeof(Holder<ReaderState>), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           reader_slots};

}  // namespace

int add_reader(PyObject* module) { return add_type(module, reader_spec, "Reader"); }

}  // namespace lanner
