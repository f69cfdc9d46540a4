#include "python/window.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "python/events.hpp"
#include "python/extension.hpp"
#include "stream/window.hpp"

namespace lanner {
namespace {

struct WindowState {
  WindowState(std::uint64_t secret, PyObject* function) : fingerprint(secret), digest(Py_NewRef(function)) {}
  ~WindowState() { Py_DECREF(digest); }
  WindowState(const WindowState&) = delete;
  WindowState& operator=(const WindowState&) = delete;

  const Fingerprint fingerprint;
  EventWindow seen;
  std::vector<std::uint64_t> given;  // the times of the keys from another run, sorted
  std::vector<EventKey> keys;        // of the lines in the current call
  PyObject* const digest;            // the function that computed the hashes of those keys from lines
};

struct Window {
  PyObject_HEAD WindowState* state;
};

std::uint64_t big_endian(const char* bytes) {
  std::uint64_t number = 0;
  for (int place = 0; place < 8; ++place) number = number << 8 | static_cast<unsigned char>(bytes[place]);
  return number;
}

PyObject* window_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"secret", "given", "digest", nullptr};
  const char *secret, *given;
  Py_ssize_t secret_size, given_size;
  PyObject* digest;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y#y#O:EventWindow", const_cast<char**>(names), &secret, &secret_size, &given, &given_size,
                                   &digest)) {
    return nullptr;
  }
  if (secret_size != 8) return PyErr_Format(PyExc_ValueError, "a secret must have 8 bytes, not %zd", secret_size);
  if (given_size % 16) return PyErr_Format(PyExc_ValueError, "keys must have 16 bytes each, not %zd in total", given_size);
  try {
    auto state = std::make_unique<WindowState>(big_endian(secret), digest);
    for (Py_ssize_t place = 0; place < given_size; place += 16) {
      const EventKey key{big_endian(given + place), big_endian(given + place + 8)};
      state->seen.add(key);
      state->given.push_back(key.time);
    }
    std::sort(state->given.begin(), state->given.end());
    auto* self = reinterpret_cast<Window*>(type->tp_alloc(type, 0));
    if (self) self->state = state.release();
    return reinterpret_cast<PyObject*>(self);
  } catch (...) {
    return failed();
  }
}

void window_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<Window*>(self)->state;
  type->tp_free(self);
  Py_DECREF(type);
}

WindowState& state_of(PyObject* self) { return *reinterpret_cast<Window*>(self)->state; }

// Whether another run has seen an event whose key is not in the window: 1, 0, or -1 with an error set.
int was_given(const WindowState& state, const StreamEvent& event) {
  if (!std::binary_search(state.given.begin(), state.given.end(), event.time)) return 0;
  PyObject* line = PyBytes_FromStringAndSize(event.line.data(), static_cast<Py_ssize_t>(event.line.size()));
  PyObject* digest = line ? PyObject_CallOneArg(state.digest, line) : nullptr;
  Py_XDECREF(line);
  if (!digest) return -1;
  int seen = -1;
  if (PyBytes_Check(digest) && PyBytes_GET_SIZE(digest) == 8) {
    seen = state.seen.contains({event.time, big_endian(PyBytes_AS_STRING(digest))});
  } else {
    PyErr_SetString(PyExc_TypeError, "a digest must have 8 bytes");
  }
  Py_DECREF(digest);
  return seen;
}

PyObject* window_take(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"", "timed", nullptr};
  PyObject* lines;
  int timed = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$p:take", const_cast<char**>(names), &lines, &timed)) return nullptr;
  auto& state = state_of(self);
  const LineSource source(lines);
  PyObject* events = source.owner() ? make_events(source.owner()) : nullptr;
  if (!events) return nullptr;
  try {
    auto& list = list_of(events);
    list.reserve(source.size());
    state.keys.clear();
    source.each([&](StreamEvent& event) {
      if (!event.has_time && timed) return true;
      state.keys.push_back({event.time, event.has_time ? state.fingerprint(event.line) : 0});
      if (event.has_time) state.seen.prefetch(state.keys.back());
      list.push_back(std::move(event));
      return true;
    });
    bool is_done = true;
    std::size_t place = 0;
    std::erase_if(list, [&](const StreamEvent& event) {
      const auto& key = state.keys[place++];
      if (!event.has_time || !is_done) return false;
      const int seen = was_given(state, event);
      is_done = seen >= 0;
      return seen > 0 || (is_done && !state.seen.add(key));
    });
    state.seen.forget();
    if (is_done) return events;
    Py_DECREF(events);
    return nullptr;
  } catch (...) {
    Py_DECREF(events);
    return failed();
  }
}

// Whether one of the lines has a time and was seen, or was not seen, depending on `wanted`.
PyObject* has_line(PyObject* self, PyObject* lines, int wanted) {
  const auto& state = state_of(self);
  const LineSource source(lines);
  if (!source.owner()) return nullptr;
  try {
    int found = !wanted;
    source.each([&](const StreamEvent& event) {
      if (!event.has_time) return true;
      int seen = state.seen.contains({event.time, state.fingerprint(event.line)});
      if (!seen) seen = was_given(state, event);
      if (seen == !wanted) return true;
      found = seen;
      return false;
    });
    if (found < 0) return nullptr;
    return PyBool_FromLong(found == wanted);
  } catch (...) {
    return failed();
  }
}

PyObject* window_has_seen(PyObject* self, PyObject* lines) { return has_line(self, lines, 1); }

PyObject* window_has_missed(PyObject* self, PyObject* lines) { return has_line(self, lines, 0); }

Py_ssize_t window_length(PyObject* self) { return static_cast<Py_ssize_t>(state_of(self).seen.size()); }

PyObject* window_last(PyObject* self, void*) { return PyLong_FromUnsignedLongLong(state_of(self).seen.last()); }

PyMethodDef methods[] = {
    {"take", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(window_take)), METH_VARARGS | METH_KEYWORDS,
     "take(lines: Lines | Sequence[bytes], *, timed: bool = False) -> Events\n\nReturn new events, and remember them. One without a "
     "time is always new, or omitted with `timed`."},
    {"has_seen", window_has_seen, METH_O,
     "has_seen(lines: Lines | Sequence[bytes]) -> bool\n\nReturn whether one of the lines was seen before."},
    {"has_missed", window_has_missed, METH_O,
     "has_missed(lines: Lines | Sequence[bytes]) -> bool\n\nReturn whether one of the lines has a time and was not seen before."},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef attributes[] = {
    {"last", window_last, nullptr,
     "Time of the last arrived event, ns since 1970. Clocks may be set back, so it need not be the latest time. 0: none.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(window_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(window_dealloc)},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {Py_mp_length, reinterpret_cast<void*>(window_length)},
    {Py_tp_doc, const_cast<char*>("EventWindow(secret: bytes, given: bytes, digest: Callable[[bytes], bytes])\n\n"
                                  "The last events of one engine. `given` are keys from another run, 16 bytes each, time and digest.")},
    {0, nullptr},
};
PyType_Spec spec = {"lanner.native.EventWindow", sizeof(Window), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace

int add_window(PyObject* module) { return add_type(module, spec, "EventWindow"); }

}  // namespace lanner
