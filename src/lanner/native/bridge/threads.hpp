// The GIL for threads of a host.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace lanner {

// Holds the GIL. A host's thread keeps its first Python thread state until the thread ends: creating one for
// each call would cost microseconds. May be nested, and works in threads that Python created.
class Gil {
 public:
  Gil();
  ~Gil();
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  bool was_held_;
};

// Call once after Python was started: Python's part in the process's forks and its end. With the GIL.
void watch_process();

// Releases the GIL permanently after starting Python in this thread: the thread keeps its state.
void leave_first_thread();

}  // namespace lanner
