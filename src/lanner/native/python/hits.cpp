#include "python/hits.hpp"

namespace lanner {
namespace {

PyObject* to_value(const Kept& kept, std::size_t& place);

// `count` values from `place`, which is advanced past them
PyObject* to_values(const Kept& kept, std::size_t& place, std::size_t count) {
  PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(count));
  if (!tuple) return nullptr;
  for (std::size_t number = 0; number < count; ++number) {
    PyObject* value = to_value(kept, place);
    if (!value) {
      Py_DECREF(tuple);
      return nullptr;
    }
    PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(number), value);
  }
  return tuple;
}

PyObject* to_value(const Kept& kept, std::size_t& place) {
  const auto& value = kept.at(place++);
  switch (value.kind) {
    case Kept::Kind::absent:
      break;
    case Kept::Kind::number:
      return PyLong_FromUnsignedLongLong(value.number);
    case Kept::Kind::boolean:
      return PyBool_FromLong(value.number != 0);
    case Kept::Kind::list:
      return to_values(kept, place, static_cast<std::size_t>(value.number));
    case Kept::Kind::text:
    case Kept::Kind::address: {
      const auto text = kept.text(value);
      const auto size = static_cast<Py_ssize_t>(text.size());
      return value.kind == Kept::Kind::text ? PyUnicode_DecodeUTF8(text.data(), size, "surrogateescape")
                                            : PyBytes_FromStringAndSize(text.data(), size);
    }
  }
  Py_RETURN_NONE;
}

}  // namespace

PyObject* from_optional(bool has, std::uint64_t number) { return has ? PyLong_FromUnsignedLongLong(number) : Py_NewRef(Py_None); }

PyObject* to_hits(const std::vector<Hit>& hits, const Kept& kept, const Program& program) {
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(hits.size()));
  if (!list) return nullptr;
  Py_ssize_t place = 0;
  for (const auto& hit : hits) {
    auto at = hit.values;
    PyObject* values = hit.has_values ? to_values(kept, at, program.wanted[hit.rule].size()) : Py_NewRef(Py_None);
    PyObject* time = from_optional(hit.has_time, hit.time);
    PyObject* item = nullptr;
    if (values && time) {
      item = Py_BuildValue("(nIOOO)", static_cast<Py_ssize_t>(hit.event), static_cast<unsigned>(hit.rule), hit.is_open ? Py_False : Py_True,
                           time, values);
    }
    Py_XDECREF(values);
    Py_XDECREF(time);
    if (!item) {
      Py_DECREF(list);
      return nullptr;
    }
    PyList_SET_ITEM(list, place++, item);
  }
  return list;
}

}  // namespace lanner
