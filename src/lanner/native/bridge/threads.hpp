// The GIL for threads that a host brings.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace lanner {

// Holds the GIL. A host's thread keeps the Python thread state that it was given first, until the thread ends: making one for
// each call would cost microseconds. Nests, and knows threads that Python itself made.
class Gil {
 public:
  Gil();
  ~Gil();
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  bool was_held_;
};

// Once after Python was started: Python's part in the process's forks, and in its end. With the GIL.
void watch_process();

// Give the GIL up for good, after starting Python in this thread: the thread keeps its state.
void leave_first_thread();

}  // namespace lanner
