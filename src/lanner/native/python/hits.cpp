#include "python/hits.hpp"

#include "python/ref.hpp"

namespace lanner {
namespace {

PyObject* to_value(const KeptValues& kept, std::size_t& place);

// `count` values from `place`, which is advanced past them
PyObject* to_values(const KeptValues& kept, std::size_t& place, std::size_t count) {
  Ref tuple(PyTuple_New(static_cast<Py_ssize_t>(count)));
  if (!tuple) return nullptr;
  for (std::size_t number = 0; number < count; ++number) {
    PyObject* value = to_value(kept, place);
    if (!value) return nullptr;
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(number), value);
  }
  return tuple.release();
}

PyObject* to_value(const KeptValues& kept, std::size_t& place) {
  const auto& value = kept.at(place++);
  switch (value.kind) {
    case KeptValues::Kind::absent:
      break;
    case KeptValues::Kind::number:
      return PyLong_FromUnsignedLongLong(value.number);
    case KeptValues::Kind::boolean:
      return PyBool_FromLong(value.number != 0);
    case KeptValues::Kind::list:
      return to_values(kept, place, static_cast<std::size_t>(value.number));
    case KeptValues::Kind::text:
    case KeptValues::Kind::address: {
      const auto text = kept.text(value);
      const auto size = static_cast<Py_ssize_t>(text.size());
      return value.kind == KeptValues::Kind::text ? PyUnicode_DecodeUTF8(text.data(), size, "surrogateescape")
                                                  : PyBytes_FromStringAndSize(text.data(), size);
    }
  }
  Py_RETURN_NONE;
}

}  // namespace

PyObject* from_optional(bool has, std::uint64_t number) { return has ? PyLong_FromUnsignedLongLong(number) : Py_NewRef(Py_None); }

PyObject* to_hits(const std::vector<Hit>& hits, const KeptValues& kept, const Program& program) {
  Ref list(PyList_New(static_cast<Py_ssize_t>(hits.size())));
  if (!list) return nullptr;
  Py_ssize_t place = 0;
  for (const auto& hit : hits) {
    auto at = hit.values;
    const Ref values(hit.has_values ? to_values(kept, at, program.wanted[hit.rule].size()) : Py_NewRef(Py_None));
    const Ref time(from_optional(hit.has_time, hit.time));
    if (!values || !time) return nullptr;
    PyObject* item = Py_BuildValue("(nIOOO)", static_cast<Py_ssize_t>(hit.event), static_cast<unsigned>(hit.rule),
                                   hit.is_open ? Py_False : Py_True, time.get(), values.get());
    if (!item) return nullptr;
    PyList_SET_ITEM(list.get(), place++, item);
  }
  return list.release();
}

}  // namespace lanner
