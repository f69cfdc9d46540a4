#include "python/window.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "python/events.hpp"
#include "python/extension.hpp"
#include "stream/event_id.hpp"

namespace lanner {
namespace {

struct WindowState : SeenEvents {
  WindowState() : SeenEvents(Fingerprint::new_secret()) {}

  std::vector<EventKey> keys;  // of the lines that are being taken
};

PyTypeObject* window_type;

std::uint64_t big_endian(const char* bytes) {
  std::uint64_t number = 0;
  for (int place = 0; place < 8; ++place) number = number << 8 | static_cast<unsigned char>(bytes[place]);
  return number;
}

PyObject* window_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"given", nullptr};
  const char* given;
  Py_ssize_t given_size;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y#:EventWindow", const_cast<char**>(names), &given, &given_size)) return nullptr;
  if (given_size % 16) return PyErr_Format(PyExc_ValueError, "keys must have 16 bytes each, not %zd in total", given_size);
  try {
    auto state = std::make_unique<WindowState>();
    for (Py_ssize_t place = 0; place < given_size; place += 16) {
      const EventKey key{big_endian(given + place), big_endian(given + place + 8)};
      state->window.add(key);
      state->given.push_back(key.time);
    }
    std::sort(state->given.begin(), state->given.end());
    return hold(type, std::move(state));
  } catch (...) {
    return failed();
  }
}

WindowState& state_of(PyObject* self) { return content_of<WindowState>(self); }

// Whether an event whose key the window does not have was seen by another run.
bool was_given(WindowState& state, const StreamEvent& event) {
  return std::binary_search(state.given.begin(), state.given.end(), event.time) &&
         state.window.contains({event.time, stable_hash(event.line)});
}

PyObject* window_take(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"", "timed", nullptr};
  PyObject* lines;
  int timed = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$p:take", const_cast<char**>(names), &lines, &timed)) return nullptr;
  auto& state = state_of(self);
  try {
    const LineSource source(lines);
    Ref events = make_events(source.owner());
    auto& list = list_of(events.get());
    list.reserve(source.size());
    state.keys.clear();
    source.each([&](StreamEvent& event) {
      if (!event.has_time && timed) return true;
      state.keys.push_back({event.time, event.has_time ? state.fingerprint(event.line) : 0});
      list.push_back(std::move(event));
      return true;
    });
    std::size_t place = 0;
    std::erase_if(list, [&](const StreamEvent& event) {
      const auto& key = state.keys[place++];
      return event.has_time && (was_given(state, event) || !state.window.add(key));
    });
    state.window.forget();
    return events.release();
  } catch (...) {
    return failed();
  }
}

// Whether one of the lines tells a time and was seen, or was not seen, as `wanted` says.
PyObject* has_line(PyObject* self, PyObject* lines, bool wanted) {
  auto& state = state_of(self);
  try {
    const LineSource source(lines);
    const bool none = source.each([&](const StreamEvent& event) {
      if (!event.has_time) return true;
      const bool seen = state.window.contains({event.time, state.fingerprint(event.line)}) || was_given(state, event);
      return seen != wanted;
    });
    return PyBool_FromLong(!none);
  } catch (...) {
    return failed();
  }
}

PyObject* window_has_seen(PyObject* self, PyObject* lines) { return has_line(self, lines, true); }

PyObject* window_has_missed(PyObject* self, PyObject* lines) { return has_line(self, lines, false); }

Py_ssize_t window_length(PyObject* self) { return static_cast<Py_ssize_t>(state_of(self).window.size()); }

PyObject* window_last(PyObject* self, void*) { return PyLong_FromUnsignedLongLong(state_of(self).window.last()); }

PyMethodDef window_methods[] = {
    {"take", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(window_take)), METH_VARARGS | METH_KEYWORDS,
     "take(lines: Lines | Sequence[bytes], *, timed: bool = False) -> Events\n\nThose that were not seen before; now they are. One that "
     "tells no time is new each time, or left out where all are to be `timed`."},
    {"has_seen", window_has_seen, METH_O, "has_seen(lines: Lines | Sequence[bytes]) -> bool\n\nWhether one of the lines was seen before."},
    {"has_missed", window_has_missed, METH_O,
     "has_missed(lines: Lines | Sequence[bytes]) -> bool\n\nWhether one of the lines tells a time and was not seen before."},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef window_attributes[] = {
    {"last", window_last, nullptr,
     "When the event that arrived last happened, ns since 1970: clocks are set back, so it need not be the latest time. 0: none.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot window_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(window_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(drop<WindowState>)},
    {Py_tp_methods, window_methods},
    {Py_tp_getset, window_attributes},
    {Py_mp_length, reinterpret_cast<void*>(window_length)},
    {Py_tp_doc,
     const_cast<char*>("EventWindow(given: bytes)\n\n"
                       "The events of one engine that were seen last. `given` are keys from another run, 16 bytes each, time and digest.")},
    {0, nullptr},
};
PyType_Spec window_spec = {"lanner.native.EventWindow", sizeof(Holder<WindowState>), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           window_slots};

}  // namespace

SeenEvents* as_seen_events(PyObject* object) { return Py_TYPE(object) == window_type ? &state_of(object) : nullptr; }

int add_window(PyObject* module) { return add_type(module, window_spec, "EventWindow", &window_type); }

}  // namespace lanner
