// What Lanner adds to events: the Python type lanner.native.Finisher.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace lanner {

int add_finisher(PyObject* module);

}  // namespace lanner
