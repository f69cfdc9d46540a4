// The Python type lanner.native.Finisher: Lanner's additions to events.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace lanner {

int add_finisher(PyObject* module);

}  // namespace lanner
