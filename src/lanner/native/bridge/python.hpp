// Small helpers around the Python C API: owned references, exceptions as texts.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string>
#include <utility>

namespace lanner {

// An owned reference, perhaps null. Only to be used with the GIL.
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

// A Python exception is set; C++ code between here and the boundary only passes through.
struct PythonError {};

// `object`, or PythonError where it is null.
Ref checked(PyObject* object);

// The exception that is set, with its traceback; none is set after it.
Ref take_exception();

// What an exception says: of a LannerError its text, of others their type too.
std::string describe(PyObject* exception);

// The UTF-8 of a str; what is no str or no UTF-8 raises PythonError.
std::string to_string(PyObject* text);

}  // namespace lanner
