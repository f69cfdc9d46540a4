#include "python/events.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "python/extension.hpp"

namespace lanner {
namespace {

struct Events {
  PyObject_HEAD PyObject* owner;  // owner of the lines: a Lines, or a tuple of bytes
  EventList* list;
};

PyTypeObject* events_type;

PyObject* events_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"lines", nullptr};
  PyObject* lines;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Events", const_cast<char**>(names), &lines)) return nullptr;
  const LineSource source(lines);
  PyObject* self = source.owner() ? make_events(source.owner()) : nullptr;
  if (!self) return nullptr;
  try {
    source.each([&](const StreamEvent& event) {
      list_of(self).push_back(event);
      return true;
    });
    return self;
  } catch (...) {
    Py_DECREF(self);
    return failed();
  }
}

void events_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<Events*>(self)->list;
  Py_XDECREF(reinterpret_cast<Events*>(self)->owner);
  type->tp_free(self);
  Py_DECREF(type);
}

Py_ssize_t events_length(PyObject* self) { return static_cast<Py_ssize_t>(list_of(self).size()); }

PyObject* events_item(PyObject* self, Py_ssize_t place) {
  const auto* event = event_at(self, place);
  if (!event) return nullptr;
  try {
    return to_bytes(event->text());
  } catch (...) {
    return failed();
  }
}

PyObject* events_slice(PyObject* self, PyObject* slice) {
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(slice, &start, &stop, &step) < 0) return nullptr;
  if (step != 1) return PyErr_Format(PyExc_ValueError, "a slice of events must have the step 1, not %zd", step);
  const auto size = PySlice_AdjustIndices(events_length(self), &start, &stop, step);
  if (size == events_length(self)) return Py_NewRef(self);
  PyObject* part = make_events(reinterpret_cast<Events*>(self)->owner);
  if (!part) return nullptr;
  try {
    const auto begin = list_of(self).begin() + start;
    list_of(part).assign(begin, begin + size);
    return part;
  } catch (...) {
    Py_DECREF(part);
    return failed();
  }
}

PyObject* events_subscript(PyObject* self, PyObject* place) {
  if (PySlice_Check(place)) return events_slice(self, place);
  const Py_ssize_t index = PyNumber_AsSsize_t(place, PyExc_IndexError);
  if (index == -1 && PyErr_Occurred()) return nullptr;
  return events_item(self, index < 0 ? index + events_length(self) : index);
}

PyObject* events_line(PyObject* self, PyObject* place) {
  const Py_ssize_t index = PyNumber_AsSsize_t(place, PyExc_IndexError);
  if (index == -1 && PyErr_Occurred()) return nullptr;
  const auto* event = event_at(self, index);
  return event ? to_bytes(event->line) : nullptr;
}

PyObject* events_starts(PyObject* self, PyObject*) {
  PyObject* places = PyList_New(0);
  if (!places) return nullptr;
  const auto& list = list_of(self);
  for (std::size_t place = 0; place < list.size(); ++place) {
    if (!may_start_container(list[place].line)) continue;
    PyObject* number = PyLong_FromSize_t(place);
    const int added = number ? PyList_Append(places, number) : -1;
    Py_XDECREF(number);
    if (added < 0) {
      Py_DECREF(places);
      return nullptr;
    }
  }
  return places;
}

std::size_t to_size(Py_ssize_t number) { return static_cast<std::size_t>(std::max<Py_ssize_t>(number, 0)); }

PyObject* events_fitting(PyObject* self, PyObject* args) {
  Py_ssize_t count, size, start = 0;
  if (!PyArg_ParseTuple(args, "nn|n:fitting", &count, &size, &start)) return nullptr;
  const std::span<const StreamEvent> events = list_of(self);
  return PyLong_FromSize_t(fitting(events.subspan(std::min(to_size(start), events.size())), to_size(count), to_size(size)));
}

PyObject* events_covering(PyObject* self, PyObject* args) {
  Py_ssize_t count, size;
  if (!PyArg_ParseTuple(args, "nn:covering", &count, &size)) return nullptr;
  return PyLong_FromSize_t(covering(list_of(self), to_size(count), to_size(size)));
}

PyObject* events_span(PyObject* self, PyObject* now) {
  const auto clock = PyLong_AsUnsignedLongLong(now);
  if (PyErr_Occurred()) return nullptr;
  const auto& list = list_of(self);
  if (list.empty()) Py_RETURN_NONE;
  std::uint64_t earliest = UINT64_MAX, latest = 0;
  for (const auto& event : list) {
    const std::uint64_t time = event.has_time ? event.time : clock;
    earliest = std::min(earliest, time);
    latest = std::max(latest, time);
  }
  return Py_BuildValue("(KK)", static_cast<unsigned long long>(earliest), static_cast<unsigned long long>(latest));
}

PyObject* events_timed_lines(PyObject* self, PyObject* most) {
  const Py_ssize_t count = PyNumber_AsSsize_t(most, nullptr);
  if (count == -1 && PyErr_Occurred()) return nullptr;
  PyObject* lines = PyList_New(0);
  if (!lines) return nullptr;
  const auto& list = list_of(self);
  for (auto event = list.rbegin(); event != list.rend() && PyList_GET_SIZE(lines) < count; ++event) {
    if (!event->has_time) continue;
    PyObject* line = Py_BuildValue("(Ky#)", static_cast<unsigned long long>(event->time), event->line.data(),
                                   static_cast<Py_ssize_t>(event->line.size()));
    const int added = line ? PyList_Append(lines, line) : -1;
    Py_XDECREF(line);
    if (added < 0) {
      Py_DECREF(lines);
      return nullptr;
    }
  }
  if (PyList_Reverse(lines) == 0) return lines;
  Py_DECREF(lines);
  return nullptr;
}

PyObject* events_size(PyObject* self, void*) {
  std::size_t size = 0;
  for (const auto& event : list_of(self)) size += event.size();
  return PyLong_FromSize_t(size);
}

PyObject* events_held(PyObject* self, void*) {
  PyObject* owner = reinterpret_cast<Events*>(self)->owner;
  std::size_t size = 0;
  if (const LineList* lines = as_lines(owner)) {
    size = lines->held();
  } else {
    for (Py_ssize_t place = 0; place < PyTuple_GET_SIZE(owner); ++place)
      size += static_cast<std::size_t>(PyBytes_GET_SIZE(PyTuple_GET_ITEM(owner, place)));
  }
  return PyLong_FromSize_t(size);
}

PyObject* events_shares_memory(PyObject* self, PyObject* other) {
  if (!is_events(other)) return PyErr_Format(PyExc_TypeError, "expected Events, not %.100s", Py_TYPE(other)->tp_name);
  return PyBool_FromLong(reinterpret_cast<Events*>(self)->owner == reinterpret_cast<Events*>(other)->owner);
}

PyObject* events_timed(PyObject* self, void*) {
  const auto& list = list_of(self);
  return PyLong_FromSsize_t(std::count_if(list.begin(), list.end(), [](const StreamEvent& event) { return event.has_time; }));
}

PyObject* events_cut(PyObject* self, void*) {
  PyObject* sizes = PyList_New(0);
  if (!sizes) return nullptr;
  for (const auto& event : list_of(self)) {
    if (!event.whole) continue;
    PyObject* size = PyLong_FromSize_t(event.whole);
    const int added = size ? PyList_Append(sizes, size) : -1;
    Py_XDECREF(size);
    if (added < 0) {
      Py_DECREF(sizes);
      return nullptr;
    }
  }
  return sizes;
}

PyMethodDef events_methods[] = {
    {"line", events_line, METH_O, "line(place: int) -> bytes\n\nReturn an event as the engine wrote it."},
    {"starts", events_starts, METH_NOARGS,
     "starts() -> list[int]\n\nReturn the indexes of those that may be about the creation or the start of a container."},
    {"fitting", events_fitting, METH_VARARGS,
     "fitting(count: int, size: int, start: int = 0) -> int\n\nReturn how many from `start` fit into a space for `count` "
     "events and `size` bytes."},
    {"covering", events_covering, METH_VARARGS,
     "covering(count: int, size: int) -> int\n\nReturn the length of the shortest prefix with at least `count` events and `size` bytes."},
    {"span", events_span, METH_O,
     "span(now: int) -> tuple[int, int] | None\n\nReturn the earliest and the latest time; an event without one happened now. None "
     "without events."},
    {"timed_lines", events_timed_lines, METH_O,
     "timed_lines(most: int) -> list[tuple[int, bytes]]\n\nReturn the last ones that have a time: that, and the line as the engine wrote "
     "it."},
    {"shares_memory", events_shares_memory, METH_O,
     "shares_memory(other: Events) -> bool\n\nReturn whether `held` of both counts the same memory."},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef events_attributes[] = {
    {"size", events_size, nullptr, "Total size in bytes.", nullptr},
    {"held", events_held, nullptr, "Bytes of lines that they keep in memory, including those of other events.", nullptr},
    {"timed", events_timed, nullptr, "Number of events that have a time.", nullptr},
    {"cut", events_cut, nullptr, "Size in bytes of each event of which only a part was kept.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot events_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(events_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(events_dealloc)},
    {Py_tp_methods, events_methods},
    {Py_tp_getset, events_attributes},
    {Py_mp_subscript, reinterpret_cast<void*>(events_subscript)},
    {Py_mp_length, reinterpret_cast<void*>(events_length)},
    {Py_sq_length, reinterpret_cast<void*>(events_length)},
    {Py_sq_item, reinterpret_cast<void*>(events_item)},
    {Py_tp_doc,
     const_cast<char*>("Events(lines: Lines | Sequence[bytes])\n\nEvents of one engine: a sequence of the payloads for the host.")},
    {0, nullptr},
};
PyType_Spec events_spec = {"lanner.native.Events", sizeof(Events), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_SEQUENCE,
                           events_slots};

}  // namespace

bool is_events(PyObject* object) { return Py_TYPE(object) == events_type; }

EventList& list_of(PyObject* events) { return *reinterpret_cast<Events*>(events)->list; }

PyObject* make_events(PyObject* owner) {
  auto* self = reinterpret_cast<Events*>(events_type->tp_alloc(events_type, 0));
  if (!self) return nullptr;
  self->owner = Py_NewRef(owner);
  self->list = new (std::nothrow) EventList;
  if (!self->list) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  return reinterpret_cast<PyObject*>(self);
}

StreamEvent* event_at(PyObject* events, Py_ssize_t place) {
  auto& list = list_of(events);
  if (place >= 0 && static_cast<std::size_t>(place) < list.size()) return &list[static_cast<std::size_t>(place)];
  PyErr_SetString(PyExc_IndexError, "event index out of range");
  return nullptr;
}

// Events of one chunk stay in it. Those of several are copied into one, because the parser reads past the end of each.
PyObject* py_merge_events(PyObject*, PyObject* parts) {
  PyObject* all = PySequence_Fast(parts, "merge_events takes a sequence of Events");
  if (!all) return nullptr;
  const auto leave = [&](PyObject* result) {
    Py_DECREF(all);
    return result;
  };
  std::size_t count = 0, size = 0;
  for (Py_ssize_t place = 0; place < PySequence_Fast_GET_SIZE(all); ++place) {
    PyObject* part = PySequence_Fast_GET_ITEM(all, place);
    if (!is_events(part)) return leave(PyErr_Format(PyExc_TypeError, "merge_events takes Events, not %.100s", Py_TYPE(part)->tp_name));
    count += list_of(part).size();
    for (const auto& event : list_of(part)) size += event.size() + 1;
  }
  const bool is_one = PySequence_Fast_GET_SIZE(all) == 1;
  PyObject* keeper = nullptr;
  try {
    LineList lines;
    lines.reserve(count);
    if (is_one) {
      PyObject* part = PySequence_Fast_GET_ITEM(all, 0);
      keeper = Py_NewRef(reinterpret_cast<Events*>(part)->owner);
      if (const LineList* list = as_lines(keeper)) lines.begin(list->chunk());
      for (const auto& event : list_of(part)) {
        event.tail ? lines.add_copy(event.text()) : lines.add(event.head);
      }
    } else {
      keeper = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size));
      if (!keeper) return leave(nullptr);
      char* to = PyBytes_AS_STRING(keeper);
      lines.begin({to, size});
      for (Py_ssize_t place = 0; place < PySequence_Fast_GET_SIZE(all); ++place) {
        for (const auto& event : list_of(PySequence_Fast_GET_ITEM(all, place))) {
          std::memcpy(to, event.head.data(), event.head.size());
          if (event.tail) std::memcpy(to + event.head.size(), event.tail->data(), event.tail->size());
          lines.add({to, event.size()});
          to += event.size();
          *to++ = '\n';
        }
      }
    }
    PyObject* merged = to_lines(keeper, std::move(lines));
    Py_DECREF(keeper);
    return leave(merged);
  } catch (...) {
    Py_XDECREF(keeper);
    return leave(failed());
  }
}

int add_events(PyObject* module) {
  if (!events_type) events_type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, &events_spec, nullptr));
  return events_type ? PyModule_AddObjectRef(module, "Events", reinterpret_cast<PyObject*>(events_type)) : -1;
}

}  // namespace lanner
