#include "python/framer.hpp"

#include <memory>
#include <vector>

#include "framing/objects.hpp"
#include "python/extension.hpp"

namespace lanner {
namespace {

// The payloads, and the object with their memory; null for copies in the list
struct LinesState {
  LinesState(Ref object, LineList lines) : keeper(std::move(object)), list(std::move(lines)) {}

  Ref keeper;
  LineList list;
};

PyTypeObject *lines_type, *object_framer_type;

Py_ssize_t lines_length(PyObject* self) { return static_cast<Py_ssize_t>(content_of<LinesState>(self).list.size()); }

PyObject* lines_item(PyObject* self, Py_ssize_t place) {
  const auto& list = content_of<LinesState>(self).list;
  if (place < 0 || static_cast<std::size_t>(place) >= list.size()) {
    PyErr_SetString(PyExc_IndexError, "line index out of range");
    return nullptr;
  }
  return to_bytes(list.at(static_cast<std::size_t>(place)));
}

PyObject* lines_subscript(PyObject* self, PyObject* place) {
  if (PySlice_Check(place)) {
    const Ref list(PySequence_List(self));
    return list ? PyObject_GetItem(list.get(), place) : nullptr;
  }
  Py_ssize_t index = PyNumber_AsSsize_t(place, PyExc_IndexError);
  if (index == -1 && PyErr_Occurred()) return nullptr;
  return lines_item(self, index < 0 ? index + lines_length(self) : index);
}

// Compared and printed as a list.
PyObject* lines_compare(PyObject* self, PyObject* other, int operation) {
  if (operation != Py_EQ && operation != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  if (!PyList_Check(other) && Py_TYPE(other) != lines_type) Py_RETURN_NOTIMPLEMENTED;
  const Ref own(PySequence_List(self));
  const Ref others(own ? PySequence_List(other) : nullptr);
  return others ? PyObject_RichCompare(own.get(), others.get(), operation) : nullptr;
}

PyObject* lines_repr(PyObject* self) {
  const Ref list(PySequence_List(self));
  return list ? PyUnicode_FromFormat("Lines(%R)", list.get()) : nullptr;
}

// As a dict, so that an empty one is false.
PyObject* lines_cut(PyObject* self, void*) {
  Ref sizes(PyDict_New());
  if (!sizes) return nullptr;
  for (const auto& [place, size] : content_of<LinesState>(self).list.cut()) {
    const Ref key(PyLong_FromSize_t(place));
    const Ref value(PyLong_FromSize_t(size));
    if (!key || !value || PyDict_SetItem(sizes.get(), key.get(), value.get()) < 0) return nullptr;
  }
  return sizes.release();
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
    {Py_tp_dealloc, reinterpret_cast<void*>(drop<LinesState>)},
    {Py_sq_length, reinterpret_cast<void*>(lines_length)},
    {Py_sq_item, reinterpret_cast<void*>(lines_item)},
    {Py_tp_doc, const_cast<char*>("The payloads that a chunk completed, without their newlines: a sequence of bytes.")},
    {0, nullptr},
};
PyType_Spec lines_spec = {"lanner.native.Lines", sizeof(Holder<LinesState>), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_SEQUENCE,
                          lines_slots};

PyObject* framer_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"longest", nullptr};
  Py_ssize_t longest;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "n:Framer", const_cast<char**>(names), &longest)) return nullptr;
  if (longest < 1) return PyErr_Format(PyExc_ValueError, "the limit must be at least one byte, not %zd", longest);
  try {
    return hold(type, std::make_unique<LineFramer>(static_cast<std::size_t>(longest)));
  } catch (...) {
    return failed();
  }
}

// The common methods of both kinds of framers.
template <typename Type>
PyObject* feed(PyObject* self, PyObject* chunk) {
  if (!PyBytes_Check(chunk)) return PyErr_Format(PyExc_TypeError, "a chunk must be bytes, not %.100s", Py_TYPE(chunk)->tp_name);
  try {
    LineList list;
    content_of<Type>(self).feed(view_of(chunk), list);
    return to_lines(chunk, std::move(list));
  } catch (...) {
    return failed();
  }
}

template <typename Type>
PyObject* end(PyObject* self, PyObject*) {
  try {
    LineList list;
    content_of<Type>(self).end(list);
    return to_lines(nullptr, std::move(list));
  } catch (...) {
    return failed();
  }
}

template <typename Type>
PyObject* too_long(PyObject* self, void*) {
  return PyLong_FromSize_t(content_of<Type>(self).too_long());
}

PyObject* is_within_line(PyObject* self, void*) { return PyBool_FromLong(content_of<LineFramer>(self).is_within_line()); }

PyMethodDef framer_methods[] = {
    {"feed", feed<LineFramer>, METH_O, "feed(chunk: bytes) -> Lines\n\nThe payloads that the chunk completes."},
    {"end", end<LineFramer>, METH_NOARGS,
     "end() -> Lines\n\nThe tail as the last payload, if there is one; after it the stream starts over."},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef framer_attributes[] = {
    {"too_long", too_long<LineFramer>, nullptr, "How many lines were dropped because they were longer than the longest.", nullptr},
    {"is_within_line", is_within_line, nullptr, "Whether the next bytes continue a line.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot framer_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(framer_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(drop<LineFramer>)},
    {Py_tp_methods, framer_methods},
    {Py_tp_getset, framer_attributes},
    {Py_tp_doc,
     const_cast<char*>("Framer(longest: int)\n\nSplits one stream into lines. Bytes after the last newline wait for the next chunk.")},
    {0, nullptr},
};
// The paths, sequences of names, as a tree. Raises PythonError.
KeptMember read_kept(PyObject* paths) {
  KeptMember root;
  const Ref all = checked(PySequence_Fast(paths, "kept is a sequence of paths"));
  for (Py_ssize_t place = 0; place < PySequence_Fast_GET_SIZE(all.get()); ++place) {
    const Ref steps = checked(PySequence_Fast(PySequence_Fast_GET_ITEM(all.get(), place), "a path is a sequence of names"));
    std::vector<std::string> path;
    for (Py_ssize_t step = 0; step < PySequence_Fast_GET_SIZE(steps.get()); ++step) {
      Py_ssize_t size;
      const char* name = PyUnicode_AsUTF8AndSize(PySequence_Fast_GET_ITEM(steps.get(), step), &size);
      if (!name) throw PythonError();
      path.emplace_back(name, static_cast<std::size_t>(size));
    }
    root.add(path);
  }
  return root;
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
    auto kept = paths ? read_kept(paths) : KeptMember();
    return hold(type, std::make_unique<ObjectFramer>(static_cast<std::size_t>(longest), std::move(kept), multiline != 0));
  } catch (...) {
    return failed();
  }
}

PyObject* is_within(PyObject* self, void*) { return PyBool_FromLong(content_of<ObjectFramer>(self).is_within()); }

PyMethodDef object_framer_methods[] = {
    {"feed", feed<ObjectFramer>, METH_O, "feed(chunk: bytes) -> Lines\n\nThe payloads that the chunk completes."},
    {"end", end<ObjectFramer>, METH_NOARGS, "end() -> Lines\n\nWhat is unfinished as the last payload; after it the stream starts over."},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef object_framer_attributes[] = {
    {"too_long", too_long<ObjectFramer>, nullptr, "How many were dropped because they were too long and nothing of them could be kept.",
     nullptr},
    {"is_within", is_within, nullptr, "Whether the next bytes continue a payload.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot object_framer_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(object_framer_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(drop<ObjectFramer>)},
    {Py_tp_methods, object_framer_methods},
    {Py_tp_getset, object_framer_attributes},
    {Py_tp_doc, const_cast<char*>("ObjectFramer(longest: int, kept: Sequence[Sequence[str]] = (), *, multiline: bool = False)\n\n"
                                  "Splits one stream into JSON objects. Of a longer object, the members at the paths of `kept` are kept.")},
    {0, nullptr},
};
PyType_Spec object_framer_spec = {"lanner.native.ObjectFramer", sizeof(Holder<ObjectFramer>), 0,
                                  Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, object_framer_slots};

PyType_Spec framer_spec = {"lanner.native.Framer", sizeof(Holder<LineFramer>), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           framer_slots};

}  // namespace

PyObject* to_lines(PyObject* keeper, LineList list) {
  try {
    return hold(lines_type, std::make_unique<LinesState>(Ref::borrowed(keeper), std::move(list)));
  } catch (...) {
    return failed();
  }
}

const LineList* as_lines(PyObject* object) { return Py_TYPE(object) == lines_type ? &content_of<LinesState>(object).list : nullptr; }

ObjectFramer* as_object_framer(PyObject* object) {
  return Py_TYPE(object) == object_framer_type ? &content_of<ObjectFramer>(object) : nullptr;
}

int add_lines(PyObject* module) {
  if (add_type(module, lines_spec, "Lines", &lines_type) < 0) return -1;
  const Ref capsule(PyCapsule_New(reinterpret_cast<void*>(as_lines), as_lines_name, nullptr));
  if (!capsule || PyModule_AddObjectRef(module, "as_lines", capsule.get()) < 0) return -1;
  if (add_type(module, object_framer_spec, "ObjectFramer", &object_framer_type) < 0) return -1;
  return add_type(module, framer_spec, "Framer");
}

}  // namespace lanner
