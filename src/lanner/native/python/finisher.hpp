// The Python type lanner.native.Finisher: Lanner's additions to events.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "stream/events.hpp"

namespace lanner {

int add_finisher(PyObject* module);

// The finisher in a Python object, if it is a Finisher.
Finisher* as_finisher(PyObject* object);

}  // namespace lanner
