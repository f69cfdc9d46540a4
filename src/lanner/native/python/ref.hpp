// Owned references to Python objects: the only place that counts them by hand, besides the slots of Python's types.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstring>
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
  // Another reference to the same object, for the caller
  PyObject* share() const { return Py_XNewRef(object_); }
  PyObject* release() { return std::exchange(object_, nullptr); }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

// A Python exception is set; C++ code between here and the boundary only propagates it.
struct PythonError {};

// Returns `object`, or throws PythonError if it is null.
inline Ref checked(PyObject* object) {
  if (!object) throw PythonError();
  return Ref(object);
}

// A string of a host. Bytes that are not UTF-8 become escapes (`lanner.sdk.text.encoding`).
inline Ref decoded(const char* text) {
  return checked(PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(std::strlen(text)), "surrogateescape"));
}

}  // namespace lanner
