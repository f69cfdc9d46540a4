// The Python type lanner.native.Reader.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace lanner {

// Make the type and add it to the module; -1 with a Python error set where that fails.
int add_reader(PyObject* module);

}  // namespace lanner
