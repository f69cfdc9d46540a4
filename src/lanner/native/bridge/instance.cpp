#include "bridge/instance.hpp"

#include <poll.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <limits>

#include "bridge/threads.hpp"
#include "python/framer.hpp"
#include "python/host_reader.hpp"

using namespace lanner;

namespace {

constexpr std::size_t kept_memory = 4 << 20;
constexpr std::size_t largest_payload = std::numeric_limits<std::int32_t>::max() - LANNER_BLOCK_HEADER;
constexpr std::uint16_t plugin_event = 322;

// The memory of an event. Blocks begin at multiples of eight.
constexpr std::size_t room_of(std::size_t payload) { return (LANNER_BLOCK_HEADER + payload + 7) / 8 * 8; }

std::uint64_t now() {
  timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

template <typename T>
char* put(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

}  // namespace

lanner_instance::lanner_instance(lanner_state& of, const char* params) : state(of) {
  source_ = checked(PyObject_CallMethod(state.plugin(), "open", "O", decoded(params).get()));
  next_ = checked(PyObject_GetAttrString(source_.get(), "next_batch"));
  wait_ = checked(PyObject_GetAttrString(state.plugin(), "wait"));
  wait_ms_ = static_cast<int>(PyFloat_AsDouble(wait_.get()) * 1000);
  if (PyErr_Occurred()) throw PythonError();
  no_wait_ = checked(PyFloat_FromDouble(0));
  fileno_ = Ref(PyObject_GetAttrString(source_.get(), "fileno"));
  if (!fileno_) PyErr_Clear();
  host_reader_ = Ref(PyObject_GetAttrString(source_.get(), "host_reader"));
  if (!host_reader_) PyErr_Clear();
  direct_ = host_reader_ ? as_host_reader(host_reader_.get()) : nullptr;
  const Ref commits(PyObject_GetAttrString(source_.get(), "commits_itself"));
  if (!commits) PyErr_Clear();
  commits_ = commits && PyObject_IsTrue(commits.get()) == 1;
}

lanner_instance::~lanner_instance() {
  if (source_) {
    const Ref done(PyObject_CallMethod(source_.get(), "close", nullptr));
    if (!done) state.failed("close");
  }
}

void lanner_instance::add(std::string_view payload, std::uint64_t timestamp) {
  const std::size_t begin = used_;
  const std::size_t need = begin + room_of(payload.size());
  if (memory_.size() < need) memory_.resize(std::max(need, memory_.size() * 2));
  std::memcpy(memory_.data() + begin + LANNER_BLOCK_HEADER, payload.data(), payload.size());
  places_.push_back({begin, static_cast<std::uint32_t>(payload.size()), timestamp});
  used_ = need;
}

void lanner_instance::take_batch(PyObject* payloads, PyObject* timestamps) {
  const std::uint64_t clock = now();
  const auto take = [&](std::string_view payload, PyObject* given) {
    if (payload.size() > largest_payload) return;
    std::uint64_t time = clock;
    if (const auto own = state.time_of(payload)) {
      time = *own;
    } else if (given != Py_None) {
      time = PyLong_AsUnsignedLongLong(given);
      if (PyErr_Occurred()) throw PythonError();
    }
    add(payload, time);
  };
  if (const LineList* lines = as_lines(payloads)) {
    std::size_t need = 0;
    for (std::size_t place = 0; place < lines->size(); ++place) need += room_of(lines->at(place).size());
    if (memory_.size() < need) memory_.resize(need);
    for (std::size_t place = 0; place < lines->size(); ++place) take(lines->at(place), Py_None);
    return;
  }
  const Ref items = checked(PySequence_Fast(payloads, "a batch's payloads"));
  const Ref times = timestamps == Py_None ? Ref() : checked(PySequence_Fast(timestamps, "a batch's timestamps"));
  if (times && PySequence_Fast_GET_SIZE(times.get()) != PySequence_Fast_GET_SIZE(items.get())) {
    PyErr_SetString(PyExc_ValueError, "a batch has a timestamp for each payload");
    throw PythonError();
  }
  for (Py_ssize_t place = 0; place < PySequence_Fast_GET_SIZE(items.get()); ++place) {
    char* data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(PySequence_Fast_GET_ITEM(items.get(), place), &data, &size) < 0) throw PythonError();
    take({data, static_cast<std::size_t>(size)}, times ? PySequence_Fast_GET_ITEM(times.get(), place) : Py_None);
  }
}

void lanner_instance::take_batch(const std::vector<StreamEvent>& events) {
  std::size_t need = 0;
  for (const auto& event : events) need += room_of(event.size());
  if (memory_.size() < need) memory_.resize(need);
  const bool is_known = state.reads_nanoseconds(time_member);  // the time of an event that ends with it
  for (const auto& event : events) {
    const std::string with_tail = event.tail ? event.text() : std::string();
    const std::string_view payload = event.tail ? with_tail : event.head;
    add(payload, is_known && event.ends_with_time ? event.time : state.time_of(payload).value_or(event.time));
  }
}

// The events in the host's layout. All memory is allocated now.
void* lanner_instance::finish() {
  if (state.api == LANNER_API_3) {
    pointers_.clear();
    for (const Place& place : places_) {
      char* const block = memory_.data() + place.begin;
      char* at = put(block, place.timestamp);
      at = put(at, std::numeric_limits<std::uint64_t>::max());  // the thread: none
      at = put(at, static_cast<std::uint32_t>(LANNER_BLOCK_HEADER + place.size));
      at = put(at, plugin_event);
      at = put(at, std::uint32_t{2});
      at = put(at, std::uint32_t{sizeof state.id});
      at = put(at, place.size);
      put(at, state.id);
      pointers_.push_back(block);
    }
    return pointers_.data();
  }
  structs_.clear();
  for (const Place& place : places_) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(memory_.data() + place.begin + LANNER_BLOCK_HEADER);
    structs_.push_back({++number_, data, place.size, place.timestamp});
  }
  return structs_.data();
}

int lanner_instance::descriptor() {
  if (!fileno_) return -1;
  const Ref found = checked(PyObject_CallNoArgs(fileno_.get()));
  const int descriptor = static_cast<int>(PyLong_AsLong(found.get()));
  if (PyErr_Occurred()) throw PythonError();
  return descriptor;
}

int lanner_instance::next_batch(std::uint32_t& count, void*& events) {
  count = 0;
  events = nullptr;
  // after the last events the source learns that the host has processed them
  if (ended_ && !uncommitted_) return LANNER_EOF;
  places_.clear();
  used_ = 0;
  if (memory_.size() > kept_memory) memory_ = std::vector<char>();
  if (descriptor_ >= 0 && direct_) {
    const struct Leave {
      HostReader& reader;
      ~Leave() { reader.leave(); }
    } leave{*direct_};
    return read(count, events);
  }
  if (descriptor_ >= 0) {
    // without Python: an idle source costs no more than one written in C
    pollfd wait{descriptor_, POLLIN, 0};
    // except the first time after events, when the source learns that the host has processed them
    if (poll(&wait, 1, wait_ms_) <= 0 && !uncommitted_) return LANNER_TIMEOUT;
  }
  return call_source(wait_.get(), count, events);
}

// The same for a source with connections that the host's thread can read without Python.
int lanner_instance::read(std::uint32_t& count, void*& events) {
  if (const auto news = direct_->commit(); news != Commits::News::none) {
    const Gil gil;
    try {
      tell_commit(host_reader_.get(), news);
    } catch (const PythonError&) {
      state.failed("commit");
    }
  }
  auto found = direct_->wait(wait_ms_, !uncommitted_);
  if (found == HostReader::Found::nothing && !uncommitted_) return LANNER_TIMEOUT;
  if (found == HostReader::Found::queue) return call_source(no_wait_.get(), count, events);
  if (found != HostReader::Found::events) {
    // the source learns first that the host has processed its events: those of a connection come after them
    const int result = call_source(no_wait_.get(), count, events);
    if (result != LANNER_TIMEOUT || found == HostReader::Found::nothing) return result;
    found = direct_->wait(0, true);
    if (found != HostReader::Found::events) return LANNER_TIMEOUT;
  }
  take_batch(direct_->events());
  return give(count, events);
}

// Returns a batch of the source.
int lanner_instance::call_source(PyObject* timeout, std::uint32_t& count, void*& events) {
  uncommitted_ = false;
  const Gil gil;
  try {
    PyObject* const arguments[] = {timeout};
    const Ref batch = checked(PyObject_Vectorcall(next_.get(), arguments, 1, nullptr));
    static PyObject *const payloads_name = PyUnicode_InternFromString("payloads"),
                           *const times_name = PyUnicode_InternFromString("timestamps"),
                           *const ended_name = PyUnicode_InternFromString("ended");
    const Ref payloads = checked(PyObject_GetAttr(batch.get(), payloads_name));
    const Ref times = checked(PyObject_GetAttr(batch.get(), times_name));
    const Ref ended = checked(PyObject_GetAttr(batch.get(), ended_name));
    take_batch(payloads.get(), times.get());
    ended_ = PyObject_IsTrue(ended.get());
    descriptor_ = descriptor();
  } catch (const PythonError&) {
    state.failed("next_batch");
    return LANNER_FAILURE;
  }
  if (places_.empty()) return ended_ ? LANNER_EOF : LANNER_TIMEOUT;
  uncommitted_ = commits_;
  return give(count, events);
}

int lanner_instance::give(std::uint32_t& count, void*& events) {
  count = static_cast<std::uint32_t>(places_.size());
  events = finish();
  return LANNER_SUCCESS;
}

double lanner_instance::progress(const char*& text) {
  const Gil gil;
  try {
    const Ref progress = checked(PyObject_CallMethod(state.plugin(), "progress", nullptr));
    double share = PyFloat_AsDouble(progress.get());
    if (PyErr_Occurred()) throw PythonError();
    if (!(share >= 0 && share <= 1)) share = 0;  // NaN too
    char percent[16];
    std::snprintf(percent, sizeof percent, "%.2f%%", share * 100);
    progress_text_ = percent;
    text = progress_text_.c_str();
    return share;
  } catch (const PythonError&) {
    state.failed("progress");
    text = "";
    return 0;
  }
}
