// Common code of the extension modules.
#pragma once

#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "python/ref.hpp"

namespace lanner {

// An argument of a shape that is not supported; its text tells Python's caller
struct Unfit : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Call it in a catch block to convert the exception: no C++ exception enters Python.
inline PyObject* failed() noexcept {
  try {
    throw;
  } catch (const PythonError&) {
    return nullptr;
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
    return nullptr;
  }
}

// -1 with an error set on failure
inline int add_type(PyObject* module, PyType_Spec& spec, const char* name) {
  const Ref type(PyType_FromModuleAndSpec(module, &spec, nullptr));
  return type ? PyModule_AddObjectRef(module, name, type.get()) : -1;
}

// The same for a type that C++ code recognises by `type`. The first module makes it, and it is never freed.
inline int add_type(PyObject* module, PyType_Spec& spec, const char* name, PyTypeObject** type) {
  if (!*type) *type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &spec, nullptr));
  return *type ? PyModule_AddObjectRef(module, name, reinterpret_cast<PyObject*>(*type)) : -1;
}

// The bytes in a bytes object
inline std::string_view view_of(PyObject* bytes) { return {PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes))}; }

inline PyObject* to_bytes(std::string_view text) { return PyBytes_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())); }

// Appends a new object to a list. Raises PythonError, including for a null object.
inline void append(const Ref& list, PyObject* item) {
  const Ref owned = checked(item);
  if (PyList_Append(list.get(), owned.get()) < 0) throw PythonError();
}

// A Python object that owns a C++ one, which is never null once Python has the object
template <typename Content>
struct Holder {
  PyObject_HEAD Content* content;
};

template <typename Content>
Content& content_of(PyObject* self) {
  return *reinterpret_cast<Holder<Content>*>(self)->content;
}

// A new object of the type with that content; null with an error set where that fails.
template <typename Content>
PyObject* hold(PyTypeObject* type, std::unique_ptr<Content> content) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self) reinterpret_cast<Holder<Content>*>(self)->content = content.release();
  return self;
}

// tp_dealloc of a Holder
template <typename Content>
void drop(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<Holder<Content>*>(self)->content;
  type->tp_free(self);
  Py_DECREF(type);
}

}  // namespace lanner
