#include "bridge/threads.hpp"

#include <pthread.h>

#include <atomic>
#include <cstdlib>

#include "python/ref.hpp"

namespace lanner {
namespace {

std::atomic<bool> process_ends;

// Whether Python can be called. A host that is a Python program may have finalised it before its end.
bool is_python_there() { return !process_ends && Py_IsInitialized(); }

// The thread state of a host's thread. It ends with the thread.
struct PinnedState {
  bool is_ours = false;

  ~PinnedState() {
    // at the end of the process nothing needs to be released, and no thread would give up the GIL
    if (!is_ours || !is_python_there() || PyGILState_Check()) return;
    PyEval_RestoreThread(PyGILState_GetThisThreadState());
    PyGILState_Release(PyGILState_UNLOCKED);
  }
};
thread_local PinnedState pinned;

PyThreadState* state_of_this_thread() {
  if (PyThreadState* state = PyGILState_GetThisThreadState()) return state;
  PyGILState_Ensure();
  pinned.is_ours = true;
  return PyEval_SaveThread();
}

// A forking host continues in the child as with Python's own os.fork, which must not be repeated.
thread_local bool forks_by_host;

void before_fork() {
  forks_by_host = is_python_there() && !PyGILState_Check();
  if (!forks_by_host) return;
  PyEval_RestoreThread(state_of_this_thread());
  PyOS_BeforeFork();
}

void after_fork_parent() {
  if (!forks_by_host) return;
  PyOS_AfterFork_Parent();
  PyEval_SaveThread();
}

void after_fork_child() {
  if (!forks_by_host) return;
  PyOS_AfterFork_Child();
  PyEval_SaveThread();
}

// Python is never finalised. Its atexit functions run once, and then its other threads are suspended while the process ends.
void at_exit() {
  if (!is_python_there()) return;
  process_ends = true;
  if (!PyGILState_Check()) PyEval_RestoreThread(state_of_this_thread());
  const Ref module(PyImport_ImportModule("atexit"));
  const Ref done(module ? PyObject_CallMethod(module.get(), "_run_exitfuncs", nullptr) : nullptr);
  if (!done) PyErr_WriteUnraisable(module.get());
}

}  // namespace

Gil::Gil() : was_held_(PyGILState_Check()) {
  if (!was_held_) PyEval_RestoreThread(state_of_this_thread());
}

Gil::~Gil() {
  if (!was_held_) PyEval_SaveThread();
}

void watch_process() {
  pthread_atfork(before_fork, after_fork_parent, after_fork_child);
  std::atexit(at_exit);
}

void leave_first_thread() { PyEval_SaveThread(); }

}  // namespace lanner
