// The events of an engine that were seen last: the Python type lanner.native.EventWindow.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace lanner {

int add_window(PyObject* module);

}  // namespace lanner
