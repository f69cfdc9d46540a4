// Small helpers around the Python C API: owned references, exceptions as texts.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string>
#include <utility>

namespace lanner {

// An owned reference, perhaps null. Use it only with the GIL.
class Ref {
 public:
  Ref() = default;
  explicit Ref(PyObject* owned) : object_(owned) {}
  static Ref borrowed(PyObject* object) { return Ref(Py_XNewRef(object)); }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    PyObject* before = std::exchange(object_, std::exchange(other.object_, nullptr));
    Py_XDECREF(before);
    return *this;
  }
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  ~Ref() { Py_XDECREF(object_); }

  PyObject* get() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

// A Python exception is set; C++ code between here and the boundary only propagates it.
struct PythonError {};

// Returns `object`, or throws PythonError if it is null.
Ref checked(PyObject* object);

// Takes the current exception with its traceback and clears it.
Ref take_exception();

// The text of an exception: for a LannerError its message, for others also their type.
std::string describe(PyObject* exception);

// The UTF-8 of a str. Throws PythonError for other objects and invalid UTF-8.
std::string to_string(PyObject* text);

}  // namespace lanner
