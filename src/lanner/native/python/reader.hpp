// The Python type lanner.native.Reader.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace lanner {

// Creates the type and adds it to the module; -1 with a Python error set on failure.
int add_reader(PyObject* module);

}  // namespace lanner
