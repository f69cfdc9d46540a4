// The Python type lanner.native.Events, and its interface for related types.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string_view>
#include <vector>

#include "python/framer.hpp"
#include "stream/events.hpp"
#include "stream/fingerprint.hpp"

namespace lanner {

using EventList = std::vector<StreamEvent>;

// Creates the type and adds it to the module; -1 with a Python error set on failure.
int add_events(PyObject* module);

PyObject* py_merge_events(PyObject* module, PyObject* parts);

bool is_events(PyObject* object);
EventList& list_of(PyObject* events);

// An empty list of events; `owner` keeps the memory of their lines. Null with an error set.
PyObject* make_events(PyObject* owner);

// The event at an index; null with an error set for an invalid one.
StreamEvent* event_at(PyObject* events, Py_ssize_t place);

// The lines of a Lines, or of a sequence of bytes, as events.
class LineSource {
 public:
  // On an error `owner` is null, and a Python error is set.
  explicit LineSource(PyObject* lines) : list_(as_lines(lines)), owner_(list_ ? Py_NewRef(lines) : PySequence_Tuple(lines)) {
    if (!owner_ || list_) return;
    for (Py_ssize_t place = 0; place < PyTuple_GET_SIZE(owner_); ++place) {
      PyObject* line = PyTuple_GET_ITEM(owner_, place);
      if (PyBytes_Check(line)) continue;
      PyErr_Format(PyExc_TypeError, "a line must be bytes, not %.100s", Py_TYPE(line)->tp_name);
      Py_CLEAR(owner_);
      return;
    }
  }
  ~LineSource() { Py_XDECREF(owner_); }
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;

  PyObject* owner() const { return owner_; }
  std::size_t size() const { return list_ ? list_->size() : static_cast<std::size_t>(PyTuple_GET_SIZE(owner_)); }

  // Calls take(event) with each line until it returns false. Returns whether it never did.
  template <typename Take>
  bool each(Take&& take) const {
    std::size_t next_cut = 0;
    for (std::size_t place = 0; place < size(); ++place) {
      StreamEvent event;
      event.line = event.head = list_ ? list_->at(place) : text_at(static_cast<Py_ssize_t>(place));
      if (const auto time = time_of(event.line)) {
        event.time = *time;
        event.has_time = true;
      }
      if (list_ && next_cut < list_->cut().size() && list_->cut()[next_cut].first == place) event.whole = list_->cut()[next_cut++].second;
      if (!take(event)) return false;
    }
    return true;
  }

 private:
  std::string_view text_at(Py_ssize_t place) const {
    PyObject* line = PyTuple_GET_ITEM(owner_, place);
    return {PyBytes_AS_STRING(line), static_cast<std::size_t>(PyBytes_GET_SIZE(line))};
  }

  const LineList* const list_;
  PyObject* owner_;
};

}  // namespace lanner
