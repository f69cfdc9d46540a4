// Events of an engine in Python: the type lanner.native.Events, and what its neighbours use of it.
#pragma once

#include <string_view>
#include <vector>

#include "python/extension.hpp"
#include "python/framer.hpp"
#include "stream/events.hpp"
#include "stream/fingerprint.hpp"

namespace lanner {

using EventList = std::vector<StreamEvent>;

// Make the type and add it to the module; -1 with a Python error set where that fails.
int add_events(PyObject* module);

PyObject* py_merge_events(PyObject* module, PyObject* parts);

bool is_events(PyObject* object);
EventList& list_of(PyObject* events);

// Events without an event yet. `owner` keeps the memory of their lines. Raises PythonError.
Ref make_events(PyObject* owner);

// The event at a place; null with an error set for a wrong place.
StreamEvent* event_at(PyObject* events, Py_ssize_t place);

// The event's key for the cursor as a new str, or null with an error set.
PyObject* to_key(std::uint64_t time, std::string_view line);

// The lines of a Lines, or of a sequence of bytes, as events.
class LineSource {
 public:
  // Raises PythonError.
  explicit LineSource(PyObject* lines) : list_(as_lines(lines)), owner_(list_ ? Ref::borrowed(lines) : checked(PySequence_Tuple(lines))) {
    if (list_) return;
    for (Py_ssize_t place = 0; place < PyTuple_GET_SIZE(owner()); ++place) {
      PyObject* line = PyTuple_GET_ITEM(owner(), place);
      if (PyBytes_Check(line)) continue;
      PyErr_Format(PyExc_TypeError, "a line is bytes, not %.100s", Py_TYPE(line)->tp_name);
      throw PythonError();
    }
  }

  PyObject* owner() const { return owner_.get(); }
  std::size_t size() const { return list_ ? list_->size() : static_cast<std::size_t>(PyTuple_GET_SIZE(owner())); }

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
  std::string_view text_at(Py_ssize_t place) const { return view_of(PyTuple_GET_ITEM(owner(), place)); }

  const LineList* const list_;
  const Ref owner_;
};

}  // namespace lanner
