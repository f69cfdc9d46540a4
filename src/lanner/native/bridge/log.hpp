// The host's log function, for lanner.embedded.logs.
#pragma once

#include "bridge.h"
#include "python.hpp"

namespace lanner {

// Raises PythonError.
Ref log_capsule(lanner_log log, void* owner);

// call_log(log, component, message, severity) -> None, for the module.
PyObject* py_call_log(PyObject*, PyObject* args);

}  // namespace lanner
