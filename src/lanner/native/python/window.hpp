// The Python type lanner.native.EventWindow: the last events of an engine.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace lanner {

int add_window(PyObject* module);

}  // namespace lanner
