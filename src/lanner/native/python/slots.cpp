#include "python/slots.hpp"

#include <structmember.h>

#include "python/extension.hpp"

namespace lanner {
namespace {

// An attribute that a function computes from a slot with bytes, at its first use, and keeps in another slot.
struct LazySlot {
  Ref find, source, slot, doc;
  Ref compute;  // none before the first use
  Ref quick;    // may be called first for bytes of at most this size
  Py_ssize_t longest_quick = -1;
  PyTypeObject* owner = nullptr;  // the class, which has this object
  Py_ssize_t source_offset = 0, slot_offset = 0;
};

PyObject* lazy_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"find", "source", "slot", "doc", nullptr};
  PyObject *find, *source, *slot, *doc;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OUUU:LazySlot", const_cast<char**>(names), &find, &source, &slot, &doc)) return nullptr;
  try {
    auto content = std::make_unique<LazySlot>();
    content->find = Ref::borrowed(find);
    content->source = Ref::borrowed(source);
    content->slot = Ref::borrowed(slot);
    content->doc = Ref::borrowed(doc);
    return hold(type, std::move(content));
  } catch (...) {
    return failed();
  }
}

PyObject* lazy_set_name(PyObject* self, PyObject* args) {
  PyObject *owner, *name;
  if (!PyArg_ParseTuple(args, "O!O:__set_name__", &PyType_Type, &owner, &name)) return nullptr;
  auto& lazy = content_of<LazySlot>(self);
  auto* const type = reinterpret_cast<PyTypeObject*>(owner);
  const char* const source = PyUnicode_AsUTF8(lazy.source.get());
  const char* const slot = PyUnicode_AsUTF8(lazy.slot.get());
  if (!source || !slot) return nullptr;
  lazy.source_offset = slot_offset(type, source);
  lazy.slot_offset = lazy.source_offset < 0 ? -1 : slot_offset(type, slot);
  if (lazy.slot_offset < 0) return nullptr;
  lazy.owner = type;
  Py_RETURN_NONE;
}

bool find_functions(LazySlot& lazy) {
  const Ref found(PyObject_CallNoArgs(lazy.find.get()));
  PyObject *quick, *compute;
  if (!found || !PyArg_ParseTuple(found.get(), "OnO", &quick, &lazy.longest_quick, &compute)) return false;
  lazy.quick = Ref::borrowed(quick);
  lazy.compute = Ref::borrowed(compute);
  return true;
}

Ref compute(const LazySlot& lazy, PyObject* source) {
  if (PyBytes_Check(source) && PyBytes_GET_SIZE(source) <= lazy.longest_quick) {
    Ref value(PyObject_CallOneArg(lazy.quick.get(), source));
    if (value || !PyErr_ExceptionMatches(PyExc_Exception)) return value;
    PyErr_Clear();
  }
  return Ref(PyObject_CallOneArg(lazy.compute.get(), source));
}

PyObject* lazy_get(PyObject* self, PyObject* object, PyObject*) {
  if (!object || object == Py_None) return Ref::borrowed(self).release();
  auto& lazy = content_of<LazySlot>(self);
  if (!lazy.owner || !PyObject_TypeCheck(object, lazy.owner))
    return PyErr_Format(PyExc_TypeError, "this attribute is not one of %.100s", Py_TYPE(object)->tp_name);
  if (PyObject* const known = slot_at(object, lazy.slot_offset)) return Ref::borrowed(known).release();
  const Ref source = Ref::borrowed(slot_at(object, lazy.source_offset));
  if (!source) return PyErr_Format(PyExc_AttributeError, "%U", lazy.source.get());
  if (!lazy.compute && !find_functions(lazy)) return nullptr;
  Ref value = compute(lazy, source.get());
  if (!value) return nullptr;
  Py_XSETREF(slot_at(object, lazy.slot_offset), value.share());
  return value.release();
}

PyObject* lazy_doc(PyObject* self, void*) { return content_of<LazySlot>(self).doc.share(); }

PyMethodDef lazy_methods[] = {
    {"__set_name__", lazy_set_name, METH_VARARGS, "__set_name__(owner: type, name: str) -> None\n\nFind the slots of the class."},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef lazy_attributes[] = {
    {"__doc__", lazy_doc, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot lazy_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(lazy_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(drop<LazySlot>)},
    {Py_tp_descr_get, reinterpret_cast<void*>(lazy_get)},
    {Py_tp_methods, lazy_methods},
    {Py_tp_getset, lazy_attributes},
    {0, nullptr},
};
PyType_Spec lazy_spec = {"lanner.native.LazySlot", sizeof(Holder<LazySlot>), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, lazy_slots};

}  // namespace

Py_ssize_t slot_offset(PyTypeObject* type, const char* name) {
  PyObject* const member = PyDict_GetItemString(type->tp_dict, name);
  if (member && Py_IS_TYPE(member, &PyMemberDescr_Type)) {
    const PyMemberDef* const slot = reinterpret_cast<PyMemberDescrObject*>(member)->d_member;
    if (slot->type == T_OBJECT_EX) return slot->offset;
  }
  PyErr_Format(PyExc_TypeError, "%.100s has no slot %.100s", type->tp_name, name);
  return -1;
}

int add_lazy_slot(PyObject* module) { return add_type(module, lazy_spec, "LazySlot"); }

}  // namespace lanner
