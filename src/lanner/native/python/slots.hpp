// Attributes in slots of Python classes (__slots__), read and written without a search by name.
#pragma once

#include "python/ref.hpp"

namespace lanner {

// The offset in objects of this class of the slot with that name; -1 with a Python error set where the class has none.
Py_ssize_t slot_offset(PyTypeObject* type, const char* name);

// The slot at an offset: a reference that the object owns, or null for an attribute without a value.
inline PyObject*& slot_at(PyObject* object, Py_ssize_t offset) {
  return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + offset);
}

// Creates the type lanner.native.LazySlot and adds it to the module; -1 with a Python error set on failure.
int add_lazy_slot(PyObject* module);

}  // namespace lanner
