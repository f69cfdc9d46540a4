// Scopes of the interpreter's state: another thread may run Python, or no garbage is collected.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace lanner {

// Releases the GIL.
class GilRelease {
 public:
  GilRelease() : state_(PyEval_SaveThread()) {}
  ~GilRelease() { PyEval_RestoreThread(state_); }
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

 private:
  PyThreadState* const state_;
};

// Stops garbage collections while many objects are made, none of which is garbage: they would take a tenth of the time.
class CollectionPause {
 public:
  CollectionPause() : was_enabled_(PyGC_Disable() != 0) {}
  ~CollectionPause() {
    if (was_enabled_) PyGC_Enable();
  }
  CollectionPause(const CollectionPause&) = delete;
  CollectionPause& operator=(const CollectionPause&) = delete;

 private:
  const bool was_enabled_;
};

}  // namespace lanner
