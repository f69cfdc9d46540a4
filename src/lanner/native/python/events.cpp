#include "python/events.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "python/extension.hpp"
#include "stream/event_id.hpp"

namespace lanner {
namespace {

struct EventsState {
  Ref owner;  // holds the lines: a Lines, or a tuple of bytes
  EventList list;
};

PyTypeObject* events_type;

PyObject* owner_of(PyObject* events) { return content_of<EventsState>(events).owner.get(); }

PyObject* events_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"lines", nullptr};
  PyObject* lines;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Events", const_cast<char**>(names), &lines)) return nullptr;
  try {
    const LineSource source(lines);
    Ref self = make_events(source.owner());
    source.each([&](const StreamEvent& event) {
      list_of(self.get()).push_back(event);
      return true;
    });
    return self.release();
  } catch (...) {
    return failed();
  }
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
  if (step != 1) return PyErr_Format(PyExc_ValueError, "a part of events has the step 1, not %zd", step);
  const auto size = PySlice_AdjustIndices(events_length(self), &start, &stop, step);
  if (size == events_length(self)) return Ref::borrowed(self).release();
  try {
    Ref part = make_events(owner_of(self));
    const auto begin = list_of(self).begin() + start;
    list_of(part.get()).assign(begin, begin + size);
    return part.release();
  } catch (...) {
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
  try {
    Ref places = checked(PyList_New(0));
    const auto& list = list_of(self);
    for (std::size_t place = 0; place < list.size(); ++place) {
      if (may_start_container(list[place].line)) append(places, PyLong_FromSize_t(place));
    }
    return places.release();
  } catch (...) {
    return failed();
  }
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

PyObject* events_keys(PyObject* self, PyObject* most) {
  const Py_ssize_t count = PyNumber_AsSsize_t(most, nullptr);
  if (count == -1 && PyErr_Occurred()) return nullptr;
  try {
    Ref keys = checked(PyList_New(0));
    const auto& list = list_of(self);
    for (auto event = list.rbegin(); event != list.rend() && PyList_GET_SIZE(keys.get()) < count; ++event) {
      if (event->has_time) append(keys, to_key(event->time, event->line));
    }
    return PyList_Reverse(keys.get()) == 0 ? keys.release() : nullptr;
  } catch (...) {
    return failed();
  }
}

PyObject* events_size(PyObject* self, void*) {
  std::size_t size = 0;
  for (const auto& event : list_of(self)) size += event.size();
  return PyLong_FromSize_t(size);
}

PyObject* events_held(PyObject* self, void*) {
  PyObject* owner = owner_of(self);
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
  if (!is_events(other)) return PyErr_Format(PyExc_TypeError, "memory is shared with Events, not %.100s", Py_TYPE(other)->tp_name);
  return PyBool_FromLong(owner_of(self) == owner_of(other));
}

PyObject* events_timed(PyObject* self, void*) {
  const auto& list = list_of(self);
  return PyLong_FromSsize_t(std::count_if(list.begin(), list.end(), [](const StreamEvent& event) { return event.has_time; }));
}

PyObject* events_cut(PyObject* self, void*) {
  try {
    Ref sizes = checked(PyList_New(0));
    for (const auto& event : list_of(self)) {
      if (event.whole) append(sizes, PyLong_FromSize_t(event.whole));
    }
    return sizes.release();
  } catch (...) {
    return failed();
  }
}

PyMethodDef events_methods[] = {
    {"line", events_line, METH_O, "line(place: int) -> bytes\n\nAn event as the engine wrote it."},
    {"starts", events_starts, METH_NOARGS,
     "starts() -> list[int]\n\nThe places of those that may be about the creation or the start of a container."},
    {"fitting", events_fitting, METH_VARARGS,
     "fitting(count: int, size: int, start: int = 0) -> int\n\nHow many from `start` on fit into room for `count` events and `size` "
     "bytes."},
    {"covering", events_covering, METH_VARARGS,
     "covering(count: int, size: int) -> int\n\nThe least number of first events that are `count` events and `size` bytes, or more."},
    {"span", events_span, METH_O,
     "span(now: int) -> tuple[int, int] | None\n\nReturn the earliest and the latest time; an event without one happened now. None "
     "without events."},
    {"keys", events_keys, METH_O,
     "keys(most: int) -> list[str]\n\nThe keys for the cursor of the last of those that tell a time: that, and a hash of the line."},
    {"shares_memory", events_shares_memory, METH_O,
     "shares_memory(other: Events) -> bool\n\nWhether `held` of both is about the same memory."},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef events_attributes[] = {
    {"size", events_size, nullptr, "How many bytes they have in all.", nullptr},
    {"held", events_held, nullptr, "How many bytes of lines they keep in memory, those of other events included.", nullptr},
    {"timed", events_timed, nullptr, "How many of them tell a time.", nullptr},
    {"cut", events_cut, nullptr, "How many bytes those had of which only a part was kept.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot events_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(events_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(drop<EventsState>)},
    {Py_tp_methods, events_methods},
    {Py_tp_getset, events_attributes},
    {Py_mp_subscript, reinterpret_cast<void*>(events_subscript)},
    {Py_mp_length, reinterpret_cast<void*>(events_length)},
    {Py_sq_length, reinterpret_cast<void*>(events_length)},
    {Py_sq_item, reinterpret_cast<void*>(events_item)},
    {Py_tp_doc,
     const_cast<char*>("Events(lines: Lines | Sequence[bytes])\n\nEvents of one engine: a sequence of their payloads for the host.")},
    {0, nullptr},
};
PyType_Spec events_spec = {"lanner.native.Events", sizeof(Holder<EventsState>), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_SEQUENCE, events_slots};

}  // namespace

bool is_events(PyObject* object) { return Py_TYPE(object) == events_type; }

EventList& list_of(PyObject* events) { return content_of<EventsState>(events).list; }

Ref make_events(PyObject* owner) {
  auto state = std::make_unique<EventsState>();
  state->owner = Ref::borrowed(owner);
  return checked(hold(events_type, std::move(state)));
}

StreamEvent* event_at(PyObject* events, Py_ssize_t place) {
  auto& list = list_of(events);
  if (place >= 0 && static_cast<std::size_t>(place) < list.size()) return &list[static_cast<std::size_t>(place)];
  PyErr_SetString(PyExc_IndexError, "there is no such event");
  return nullptr;
}

// Events of one chunk stay where they are. Those of several are copied into one, because what parses them reads behind the end of each.
PyObject* py_merge_events(PyObject*, PyObject* parts) {
  try {
    const Ref all = checked(PySequence_Fast(parts, "merge takes a sequence of Events"));
    const std::span<PyObject*> items(PySequence_Fast_ITEMS(all.get()), static_cast<std::size_t>(PySequence_Fast_GET_SIZE(all.get())));
    std::size_t count = 0, size = 0;
    for (PyObject* part : items) {
      if (!is_events(part)) return PyErr_Format(PyExc_TypeError, "merge takes Events, not %.100s", Py_TYPE(part)->tp_name);
      count += list_of(part).size();
      for (const auto& event : list_of(part)) size += event.size() + 1;
    }
    LineList lines;
    lines.reserve(count);
    if (items.size() == 1) {
      const Ref owner = Ref::borrowed(owner_of(items[0]));
      if (const LineList* list = as_lines(owner.get())) lines.begin(list->chunk());
      for (const auto& event : list_of(items[0])) {
        event.tail ? lines.add_copy(event.text()) : lines.add(event.head);
      }
      return to_lines(owner.get(), std::move(lines));
    }
    const Ref copy = checked(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size)));
    char* to = PyBytes_AS_STRING(copy.get());
    lines.begin({to, size});
    for (PyObject* part : items) {
      for (const auto& event : list_of(part)) {
        std::memcpy(to, event.head.data(), event.head.size());
        if (event.tail) std::memcpy(to + event.head.size(), event.tail->data(), event.tail->size());
        lines.add({to, event.size()});
        to += event.size();
        *to++ = '\n';
      }
    }
    return to_lines(copy.get(), std::move(lines));
  } catch (...) {
    return failed();
  }
}

PyObject* to_key(std::uint64_t time, std::string_view line) {
  const auto id = event_id(time, line);
  return PyUnicode_FromStringAndSize(id.data(), static_cast<Py_ssize_t>(id.size()));
}

int add_events(PyObject* module) { return add_type(module, events_spec, "Events", &events_type); }

}  // namespace lanner
