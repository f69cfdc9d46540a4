// The host's log function, for lanner.embedded.host_log.
#pragma once

#include "bridge/bridge.h"
#include "bridge/python.hpp"

namespace lanner {

// The host's function as a Python object, which may outlive the host: the second function marks the host as closed. With the GIL.
class HostLog {
 public:
  // Raises PythonError. `log` may be null: the object is None.
  HostLog(lanner_log log, void* owner);
  ~HostLog();
  HostLog(const HostLog&) = delete;
  HostLog& operator=(const HostLog&) = delete;

  PyObject* object() const { return object_.get(); }

 private:
  Ref object_;
};

// call_log(log, component, message, severity) -> bool, for the module: false if the host is closed.
PyObject* py_call_log(PyObject*, PyObject* args);

}  // namespace lanner
