#include "python/dechunker.hpp"

#include <new>
#include <string_view>

#include "framing/chunked.hpp"
#include "python/extension.hpp"

namespace lanner {
namespace {

struct Dechunker {
  PyObject_HEAD Decoder* decoder;
};

PyObject* dechunker_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":Dechunker", const_cast<char**>(names))) return nullptr;
  auto* self = reinterpret_cast<Dechunker*>(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  self->decoder = new (std::nothrow) Decoder;
  if (!self->decoder) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  return reinterpret_cast<PyObject*>(self);
}

void dechunker_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<Dechunker*>(self)->decoder;
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* dechunker_feed(PyObject* self, PyObject* chunk) {
  if (!PyBytes_Check(chunk)) return PyErr_Format(PyExc_TypeError, "a chunk must be bytes, not %.100s", Py_TYPE(chunk)->tp_name);
  auto& decoder = *reinterpret_cast<Dechunker*>(self)->decoder;
  const std::string_view data(PyBytes_AS_STRING(chunk), static_cast<std::size_t>(PyBytes_GET_SIZE(chunk)));
  PyObject* out = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(data.size()));
  if (!out) return nullptr;
  std::size_t size = 0;
  try {
    size = decoder.feed(data, PyBytes_AS_STRING(out));
  } catch (const std::bad_alloc&) {
    Py_DECREF(out);
    return PyErr_NoMemory();
  }
  if (!decoder.error.empty()) {
    Py_DECREF(out);
    PyErr_SetString(PyExc_ValueError, decoder.error.c_str());
    return nullptr;
  }
  if (_PyBytes_Resize(&out, static_cast<Py_ssize_t>(size)) < 0) return nullptr;
  return out;
}

PyObject* dechunker_ended(PyObject* self, void*) { return PyBool_FromLong(reinterpret_cast<Dechunker*>(self)->decoder->ended); }

PyObject* dechunker_complete(PyObject* self, void*) { return PyBool_FromLong(reinterpret_cast<Dechunker*>(self)->decoder->complete); }

PyMethodDef methods[] = {
    {"feed", dechunker_feed, METH_O,
     "feed(data: bytes) -> bytes\n\nReturn the bytes of the body in `data`. Raises `ValueError` for invalid chunks."},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef attributes[] = {
    {"ended", dechunker_ended, nullptr, "Whether the last chunk was received: the body is complete.", nullptr},
    {"complete", dechunker_complete, nullptr, "Whether the trailer was received, too: later bytes do not belong to this response.",
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(dechunker_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(dechunker_dealloc)},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {Py_tp_doc, const_cast<char*>("Dechunker()\n\nDecoder for the body of one HTTP response in the chunked transfer coding.")},
    {0, nullptr},
};
PyType_Spec spec = {"lanner.native.Dechunker", sizeof(Dechunker), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace

int add_dechunker(PyObject* module) { return add_type(module, spec, "Dechunker"); }

}  // namespace lanner
