#include "python/framer.hpp"

#include <memory>
#include <vector>

#include "framing/objects.hpp"
#include "python/extension.hpp"

namespace lanner {
namespace {

struct Lines {
  PyObject_HEAD PyObject* chunk;  // bytes; null if there are only copies
  LineList* list;
};

struct Framer {
  PyObject_HEAD LineFramer* framer;
};

struct ObjectFramerObject {
  PyObject_HEAD ObjectFramer* framer;
};

PyTypeObject* lines_type;

PyObject* to_bytes(std::string_view text) { return PyBytes_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())); }

void lines_dealloc(PyObject* self) {
  auto* lines = reinterpret_cast<Lines*>(self);
  PyTypeObject* type = Py_TYPE(self);
  delete lines->list;
  Py_XDECREF(lines->chunk);
  type->tp_free(self);
  Py_DECREF(type);
}

Py_ssize_t lines_length(PyObject* self) { return static_cast<Py_ssize_t>(reinterpret_cast<Lines*>(self)->list->size()); }

PyObject* lines_item(PyObject* self, Py_ssize_t place) {
  const auto& list = *reinterpret_cast<Lines*>(self)->list;
  if (place < 0 || static_cast<std::size_t>(place) >= list.size()) {
    PyErr_SetString(PyExc_IndexError, "line index out of range");
    return nullptr;
  }
  return to_bytes(list.at(static_cast<std::size_t>(place)));
}

PyObject* lines_subscript(PyObject* self, PyObject* place) {
  if (PySlice_Check(place)) {
    PyObject* list = PySequence_List(self);
    PyObject* part = list ? PyObject_GetItem(list, place) : nullptr;
    Py_XDECREF(list);
    return part;
  }
  Py_ssize_t index = PyNumber_AsSsize_t(place, PyExc_IndexError);
  if (index == -1 && PyErr_Occurred()) return nullptr;
  return lines_item(self, index < 0 ? index + lines_length(self) : index);
}

// Compared and printed as a list.
PyObject* lines_compare(PyObject* self, PyObject* other, int operation) {
  if (operation != Py_EQ && operation != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  if (!PyList_Check(other) && Py_TYPE(other) != lines_type) Py_RETURN_NOTIMPLEMENTED;
  PyObject* own = PySequence_List(self);
  PyObject* others = own ? PySequence_List(other) : nullptr;
  PyObject* result = others ? PyObject_RichCompare(own, others, operation) : nullptr;
  Py_XDECREF(own);
  Py_XDECREF(others);
  return result;
}

PyObject* lines_repr(PyObject* self) {
  PyObject* list = PySequence_List(self);
  PyObject* result = list ? PyUnicode_FromFormat("Lines(%R)", list) : nullptr;
  Py_XDECREF(list);
  return result;
}

// As a dict, so that an empty one is false.
PyObject* lines_cut(PyObject* self, void*) {
  PyObject* sizes = PyDict_New();
  if (!sizes) return nullptr;
  for (const auto& [place, size] : reinterpret_cast<Lines*>(self)->list->cut()) {
    PyObject* key = PyLong_FromSize_t(place);
    PyObject* value = key ? PyLong_FromSize_t(size) : nullptr;
    const int added = value ? PyDict_SetItem(sizes, key, value) : -1;
    Py_XDECREF(key);
    Py_XDECREF(value);
    if (added < 0) {
      Py_DECREF(sizes);
      return nullptr;
    }
  }
  return sizes;
}

PyGetSetDef lines_attributes[] = {
    {"cut", lines_cut, nullptr, "Size in bytes of each line of which only a part was kept, by index.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot lines_slots[] = {
    {Py_tp_getset, lines_attributes},
    {Py_mp_subscript, reinterpret_cast<void*>(lines_subscript)},
    {Py_mp_length, reinterpret_cast<void*>(lines_length)},
    {Py_tp_richcompare, reinterpret_cast<void*>(lines_compare)},
    {Py_tp_repr, reinterpret_cast<void*>(lines_repr)},
    {Py_tp_hash, reinterpret_cast<void*>(PyObject_HashNotImplemented)},
    {Py_tp_dealloc, reinterpret_cast<void*>(lines_dealloc)},
    {Py_sq_length, reinterpret_cast<void*>(lines_length)},
    {Py_sq_item, reinterpret_cast<void*>(lines_item)},
    {Py_tp_doc, const_cast<char*>("The payloads that a chunk completed, without their newlines: a sequence of bytes.")},
    {0, nullptr},
};
PyType_Spec lines_spec = {"lanner.native.Lines", sizeof(Lines), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_SEQUENCE,
                          lines_slots};

// Returns the lines that `fill` adds to the list; `chunk` is kept with it.
template <typename Fill>
PyObject* make_lines(PyObject* chunk, Fill&& fill) {
  auto* lines = reinterpret_cast<Lines*>(lines_type->tp_alloc(lines_type, 0));
  if (!lines) return nullptr;
  try {
    lines->list = new LineList;
    lines->chunk = Py_XNewRef(chunk);
    fill(*lines->list);
  } catch (...) {
    Py_DECREF(lines);
    return failed();
  }
  return reinterpret_cast<PyObject*>(lines);
}

PyObject* framer_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"longest", nullptr};
  Py_ssize_t longest;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "n:Framer", const_cast<char**>(names), &longest)) return nullptr;
  if (longest < 1) return PyErr_Format(PyExc_ValueError, "the limit must be at least one byte, not %zd", longest);
  auto* self = reinterpret_cast<Framer*>(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  self->framer = new (std::nothrow) LineFramer(static_cast<std::size_t>(longest));
  if (!self->framer) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  return reinterpret_cast<PyObject*>(self);
}

// The common methods of both kinds of framers.
template <typename Type>
PyObject* feed(PyObject* self, PyObject* chunk) {
  if (!PyBytes_Check(chunk)) return PyErr_Format(PyExc_TypeError, "a chunk must be bytes, not %.100s", Py_TYPE(chunk)->tp_name);
  const std::string_view data(PyBytes_AS_STRING(chunk), static_cast<std::size_t>(PyBytes_GET_SIZE(chunk)));
  return make_lines(chunk, [&](LineList& list) { reinterpret_cast<Type*>(self)->framer->feed(data, list); });
}

template <typename Type>
PyObject* end(PyObject* self, PyObject*) {
  return make_lines(nullptr, [&](LineList& list) { reinterpret_cast<Type*>(self)->framer->end(list); });
}

template <typename Type>
PyObject* too_long(PyObject* self, void*) {
  return PyLong_FromSize_t(reinterpret_cast<Type*>(self)->framer->too_long());
}

template <typename Type>
void dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<Type*>(self)->framer;
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* is_within_line(PyObject* self, void*) { return PyBool_FromLong(reinterpret_cast<Framer*>(self)->framer->is_within_line()); }

PyMethodDef framer_methods[] = {
    {"feed", feed<Framer>, METH_O, "feed(chunk: bytes) -> Lines\n\nReturn the payloads that the chunk completes."},
    {"end", end<Framer>, METH_NOARGS, "end() -> Lines\n\nReturn the tail as the last payload, if any, and reset the stream."},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef framer_attributes[] = {
    {"too_long", too_long<Framer>, nullptr, "Number of lines that were dropped because they exceeded the limit.", nullptr},
    {"is_within_line", is_within_line, nullptr, "Whether the next bytes continue a line.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot framer_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(framer_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc<Framer>)},
    {Py_tp_methods, framer_methods},
    {Py_tp_getset, framer_attributes},
    {Py_tp_doc,
     const_cast<char*>("Framer(longest: int)\n\nSplits one stream into lines. Bytes after the last newline wait for the next chunk.")},
    {0, nullptr},
};
// Converts the paths, sequences of names, to a tree; false with an error set for other objects.
bool read_kept(PyObject* paths, KeptMember& root) {
  PyObject* all = PySequence_Fast(paths, "kept must be a sequence of paths");
  bool is_right = all != nullptr;
  for (Py_ssize_t place = 0; is_right && place < PySequence_Fast_GET_SIZE(all); ++place) {
    PyObject* steps = PySequence_Fast(PySequence_Fast_GET_ITEM(all, place), "a path must be a sequence of names");
    std::vector<std::string> path;
    is_right = steps != nullptr;
    for (Py_ssize_t step = 0; is_right && step < PySequence_Fast_GET_SIZE(steps); ++step) {
      Py_ssize_t size;
      const char* name = PyUnicode_AsUTF8AndSize(PySequence_Fast_GET_ITEM(steps, step), &size);
      is_right = name != nullptr;
      if (name) path.emplace_back(name, static_cast<std::size_t>(size));
    }
    if (is_right) root.add(path);
    Py_XDECREF(steps);
  }
  Py_XDECREF(all);
  return is_right;
}

PyObject* object_framer_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"longest", "kept", "multiline", nullptr};
  Py_ssize_t longest;
  PyObject* paths = nullptr;
  int multiline = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "n|O$p:ObjectFramer", const_cast<char**>(names), &longest, &paths, &multiline))
    return nullptr;
  if (longest < 1) return PyErr_Format(PyExc_ValueError, "the limit must be at least one byte, not %zd", longest);
  try {
    KeptMember kept;
    if (paths && !read_kept(paths, kept)) return nullptr;
    auto framer = std::make_unique<ObjectFramer>(static_cast<std::size_t>(longest), std::move(kept), multiline != 0);
    auto* self = reinterpret_cast<ObjectFramerObject*>(type->tp_alloc(type, 0));
    if (self) self->framer = framer.release();
    return reinterpret_cast<PyObject*>(self);
  } catch (...) {
    return failed();
  }
}

PyObject* is_within(PyObject* self, void*) { return PyBool_FromLong(reinterpret_cast<ObjectFramerObject*>(self)->framer->is_within()); }

PyMethodDef object_framer_methods[] = {
    {"feed", feed<ObjectFramerObject>, METH_O, "feed(chunk: bytes) -> Lines\n\nReturn the payloads that the chunk completes."},
    {"end", end<ObjectFramerObject>, METH_NOARGS,
     "end() -> Lines\n\nReturn the incomplete text as the last payload, and reset the stream."},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef object_framer_attributes[] = {
    {"too_long", too_long<ObjectFramerObject>, nullptr,
     "Number of objects that were dropped because they were too long and had no kept member.", nullptr},
    {"is_within", is_within, nullptr, "Whether the next bytes continue a payload.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot object_framer_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(object_framer_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc<ObjectFramerObject>)},
    {Py_tp_methods, object_framer_methods},
    {Py_tp_getset, object_framer_attributes},
    {Py_tp_doc, const_cast<char*>("ObjectFramer(longest: int, kept: Sequence[Sequence[str]] = (), *, multiline: bool = False)\n\n"
                                  "Splits one stream into JSON objects. Of a longer object, the members at the paths of `kept` are kept.")},
    {0, nullptr},
};
PyType_Spec object_framer_spec = {"lanner.native.ObjectFramer", sizeof(ObjectFramerObject), 0,
                                  Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, object_framer_slots};

PyType_Spec framer_spec = {"lanner.native.Framer", sizeof(Framer), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, framer_slots};

}  // namespace

const LineList* as_lines(PyObject* object) { return Py_TYPE(object) == lines_type ? reinterpret_cast<Lines*>(object)->list : nullptr; }

int add_lines(PyObject* module) {
  if (!lines_type) lines_type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &lines_spec, nullptr));
  if (!lines_type || PyModule_AddObjectRef(module, "Lines", reinterpret_cast<PyObject*>(lines_type)) < 0) return -1;
  PyObject* capsule = PyCapsule_New(reinterpret_cast<void*>(as_lines), as_lines_name, nullptr);
  if (!capsule) return -1;
  const int added = PyModule_AddObjectRef(module, "as_lines", capsule);
  Py_DECREF(capsule);
  if (added < 0) return -1;
  if (add_type(module, object_framer_spec, "ObjectFramer") < 0) return -1;
  return add_type(module, framer_spec, "Framer");
}

}  // namespace lanner
