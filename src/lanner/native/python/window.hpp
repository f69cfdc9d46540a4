// The Python type lanner.native.EventWindow: the last events of an engine.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "stream/seen.hpp"

namespace lanner {

int add_window(PyObject* module);

// What an EventWindow has seen; null for other objects.
SeenEvents* as_seen_events(PyObject* object);

}  // namespace lanner
