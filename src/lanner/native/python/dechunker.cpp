#include "python/dechunker.hpp"

#include "framing/chunked.hpp"
#include "python/extension.hpp"

namespace lanner {
namespace {

PyTypeObject* dechunker_type;

PyObject* dechunker_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":Dechunker", const_cast<char**>(names))) return nullptr;
  try {
    return hold(type, std::make_unique<Decoder>());
  } catch (...) {
    return failed();
  }
}

PyObject* dechunker_feed(PyObject* self, PyObject* chunk) {
  if (!PyBytes_Check(chunk)) return PyErr_Format(PyExc_TypeError, "a chunk must be bytes, not %.100s", Py_TYPE(chunk)->tp_name);
  auto& decoder = content_of<Decoder>(self);
  const auto data = view_of(chunk);
  Ref out(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(data.size())));
  if (!out) return nullptr;
  std::size_t size = 0;
  try {
    size = decoder.feed(data, PyBytes_AS_STRING(out.get()));
  } catch (...) {
    return failed();
  }
  if (!decoder.error.empty()) {
    PyErr_SetString(PyExc_ValueError, decoder.error.c_str());
    return nullptr;
  }
  PyObject* result = out.release();
  _PyBytes_Resize(&result, static_cast<Py_ssize_t>(size));  // null with an error set where that fails
  return result;
}

PyObject* dechunker_ended(PyObject* self, void*) { return PyBool_FromLong(content_of<Decoder>(self).ended); }

PyObject* dechunker_complete(PyObject* self, void*) { return PyBool_FromLong(content_of<Decoder>(self).complete); }

PyMethodDef dechunker_methods[] = {
    {"feed", dechunker_feed, METH_O,
     "feed(data: bytes) -> bytes\n\nReturn the bytes of the body in `data`. Raises `ValueError` for invalid chunks."},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef dechunker_attributes[] = {
    {"ended", dechunker_ended, nullptr, "Whether the last chunk was received: the body is complete.", nullptr},
    {"complete", dechunker_complete, nullptr, "Whether the trailer was received, too: later bytes do not belong to this response.",
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot dechunker_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(dechunker_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(drop<Decoder>)},
    {Py_tp_methods, dechunker_methods},
    {Py_tp_getset, dechunker_attributes},
    {Py_tp_doc, const_cast<char*>("Dechunker()\n\nDecoder for the body of one HTTP response in the chunked transfer coding.")},
    {0, nullptr},
};
PyType_Spec dechunker_spec = {"lanner.native.Dechunker", sizeof(Holder<Decoder>), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                              dechunker_slots};

}  // namespace

Decoder* as_decoder(PyObject* object) { return Py_TYPE(object) == dechunker_type ? &content_of<Decoder>(object) : nullptr; }

int add_dechunker(PyObject* module) { return add_type(module, dechunker_spec, "Dechunker", &dechunker_type); }

}  // namespace lanner
