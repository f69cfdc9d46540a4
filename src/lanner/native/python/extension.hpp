// Common code of the extension modules.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <exception>
#include <new>

namespace lanner {

// Call it in a catch block to convert the exception: no C++ exception enters Python.
inline PyObject* failed() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
    return nullptr;
  }
}

// -1 with an error set on failure
inline int add_type(PyObject* module, PyType_Spec& spec, const char* name) {
  PyObject* type = PyType_FromModuleAndSpec(module, &spec, nullptr);
  if (!type) return -1;
  const int result = PyModule_AddObjectRef(module, name, type);
  Py_DECREF(type);
  return result;
}

}  // namespace lanner
