// A plugin written by hand against the C ABI: what the host must accept, and how fast plain C++ gets.
//
// PEER_API is the version that it requires, PEER_MAJOR and PEER_MINOR its parts. With -DPEER_BREAKABLE it does the one thing wrong
// that the environment variable PEER_BREAK names, for the host to find; each place is marked by BROKEN. With -DPEER_WRONG_SYMBOLS
// it lacks one symbol and has one too many.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "../abi.h"
#include "fields.hpp"
#include "source.hpp"

#define PLUGIN(type) extern "C" __attribute__((visibility("default"))) type

namespace {

#ifdef PEER_BREAKABLE
bool is_broken(const char* what) {
  const char* chosen = std::getenv("PEER_BREAK");
  return chosen != nullptr && std::strcmp(chosen, what) == 0;
}
#define BROKEN(what) is_broken(#what)
#else
#define BROKEN(what) false
#endif

constexpr uint32_t plugin_id = 998;

struct State {
  std::string error = "no error";
  EventFields fields;
  std::string text;  // of event_to_string
  // what extract_fields returned last
  const char* one_text = nullptr;
  uint64_t one_number = 0;
  std::vector<const char*> many;
  std::vector<uint32_t> starts, lengths;
  // of the event read last, for BROKEN(STALE_CACHE)
  uint64_t last_number = 0;
  const void* last_payload = nullptr;
};

struct Instance {
  std::unique_ptr<Source> source;
  std::string progress;
  std::vector<std::string_view> lines;
#if PEER_MAJOR >= 3
  std::vector<uint8_t> arena;
  std::vector<block_plugin_event*> events;
#else
  std::vector<flat_event> events;
#endif
  bool ended = false;
};

State* state_of(void* state) { return static_cast<State*>(state); }
Instance* instance_of(void* instance) { return static_cast<Instance*>(instance); }

State shared;  // for BROKEN(SAME_STATE)

void* init_state(std::string_view config, int32_t* rc) {
  bool well = config.empty() || config == "{}";
  if (!BROKEN(RC_UNWRITTEN)) *rc = well ? RC_SUCCESS : RC_FAILURE;
  if (BROKEN(NULL_STATE) && !well) return nullptr;
  if (BROKEN(SIGNAL)) std::signal(SIGINT, SIG_IGN);
  if (BROKEN(LOCALE)) std::setlocale(LC_ALL, "C.UTF-8");
  if (BROKEN(ENVIRONMENT)) setenv("PYTHONHOME", "/", 1);
  State* state = BROKEN(SAME_STATE) ? &shared : new State;
  if (!well) state->error = "there is nothing to configure: {}";
  return state;
}

}  // namespace

// -- base ---------------------------------------------------------------------------------------------------------------------------

PLUGIN(const char*) plugin_get_required_api_version() { return PEER_API; }
PLUGIN(const char*) plugin_get_name() { return "peer"; }
PLUGIN(const char*) plugin_get_description() { return "Docker events, read by hand-written C++"; }
#ifndef PEER_WRONG_SYMBOLS
PLUGIN(const char*) plugin_get_contact() { return "the Lanner authors"; }
#endif
PLUGIN(const char*) plugin_get_version() { return BROKEN(VERSION) ? "0.1" : "0.1.0"; }
#if PEER_MAJOR == 0
PLUGIN(uint32_t) plugin_get_type() { return KIND_SOURCE; }
#endif

PLUGIN(const char*) plugin_get_init_schema(int32_t* type) {
  *type = SCHEMA_JSON;
  return R"({"type": "object", "additionalProperties": false})";
}

#if PEER_MAJOR >= 3
PLUGIN(void*) plugin_init(const init_input* input, int32_t* rc) {
  if (PEER_MINOR >= 3 || BROKEN(LOG_TOO_OLD)) input->log(input->owner, nullptr, "the peer begins", 6);
  return init_state(input->config, rc);
}
#else
PLUGIN(void*) plugin_init(const char* config, int32_t* rc) { return init_state(config, rc); }
#endif

PLUGIN(void) plugin_destroy(void* state) {
  if (state != &shared) delete state_of(state);
}

PLUGIN(const char*) plugin_get_last_error(void* state) { return BROKEN(NO_ERROR) ? "" : state_of(state)->error.c_str(); }

// -- source -------------------------------------------------------------------------------------------------------------------------

PLUGIN(uint32_t) plugin_get_id() { return plugin_id; }
PLUGIN(const char*) plugin_get_event_source() { return "docker"; }

PLUGIN(const char*) plugin_list_open_params(void*, int32_t* rc) {
  *rc = RC_SUCCESS;
  return R"([{"value": "unix:/var/run/docker.sock", "desc": "the engine of this machine"}])";
}

PLUGIN(void*) plugin_open(void* state, const char* params, int32_t* rc) {
  auto instance = std::make_unique<Instance>();
  if (BROKEN(FILES)) ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (BROKEN(THREAD)) std::thread([] { ::pause(); }).detach();
  instance->source = open_source(params, state_of(state)->error);
  *rc = instance->source ? RC_SUCCESS : RC_FAILURE;
  return instance->source ? instance.release() : nullptr;
}

PLUGIN(void) plugin_close(void*, void* instance) { delete instance_of(instance); }

PLUGIN(const char*) plugin_get_progress(void*, void* opened, uint32_t* progress) {
  Instance* instance = instance_of(opened);
  *progress = instance->source->progress();
  instance->progress = std::to_string(*progress / 100) + "%";
  if (BROKEN(PROGRESS)) *progress = 10001;
  return instance->progress.c_str();
}

namespace {

#if PEER_MAJOR >= 3
void lay_out(Instance& instance) {
  size_t size = 0, page = 4096;
  for (std::string_view line : instance.lines) size += PAYLOAD_OFFSET + line.size();
  if (instance.arena.size() < size + page) instance.arena.resize(size + page);
  uint8_t* to = instance.arena.data();
  if (BROKEN(READ_ONLY)) to += page - reinterpret_cast<uintptr_t>(to) % page;
  instance.events.clear();
  for (std::string_view line : instance.lines) {
    auto* event = reinterpret_cast<block_plugin_event*>(to);
    auto length = static_cast<uint32_t>(line.size());
    event->header = {event_time(line), UINT64_MAX, PAYLOAD_OFFSET + length, EVENT_TYPE_PLUGIN, 2};
    event->id_length = 4;
    event->payload_length = length;
    event->plugin_id = BROKEN(WRONG_ID) ? 7 : 0;  // 0: the framework fills in ours
    if (BROKEN(LENGTH)) event->header.length++;
    std::memcpy(event->payload, line.data(), length);
    instance.events.push_back(event);
    to += PAYLOAD_OFFSET + length;
  }
  if (BROKEN(READ_ONLY)) mprotect(instance.events[0], page, PROT_READ);
}
#else
void lay_out(Instance& instance) {
  instance.events.clear();
  for (std::string_view line : instance.lines) {
    auto* data = reinterpret_cast<const uint8_t*>(line.data());
    instance.events.push_back({0, data, static_cast<uint32_t>(line.size()), event_time(line)});
  }
}
#endif

}  // namespace

PLUGIN(int32_t) plugin_next_batch(void* state, void* opened, uint32_t* count, void* events) {
  Instance& instance = *instance_of(opened);
  if (BROKEN(COUNT_UNWRITTEN)) return RC_TIMEOUT;
  *count = 0;
  if (BROKEN(NO_EVENTS)) return RC_SUCCESS;
  if (BROKEN(SLOW)) usleep(60000);
  if (BROKEN(EOF_ONCE) && instance.ended) return RC_TIMEOUT;
  instance.lines.clear();
  Source::Outcome outcome = instance.source->next(instance.lines);
  if (!instance.lines.empty()) lay_out(instance);
  *count = static_cast<uint32_t>(instance.lines.size());
  auto* first = instance.events.data();
  if (BROKEN(NULL_EVENTS)) first = nullptr;
  std::memcpy(events, &first, sizeof first);
  instance.ended = outcome == Source::Outcome::end;
  switch (outcome) {
    case Source::Outcome::more:
      return RC_SUCCESS;
    case Source::Outcome::idle:
      return RC_TIMEOUT;
    case Source::Outcome::end:
      return RC_EOF;
    default:
      state_of(state)->error = instance.source->error;
      return RC_FAILURE;
  }
}

#if PEER_MAJOR == 0
PLUGIN(const char*) plugin_event_to_string(void* state, const uint8_t* payload, uint32_t length) {
#elif PEER_MAJOR < 3
PLUGIN(const char*) plugin_event_to_string(void* state, const flat_event* event) {
  const uint8_t* payload = event->data;
  uint32_t length = event->length;
#else
PLUGIN(const char*) plugin_event_to_string(void* state, const event_input* input) {
  auto* event = reinterpret_cast<const block_plugin_event*>(input->event);
  const uint8_t* payload = event->payload;
  uint32_t length = event->payload_length;
#endif
  std::string& text = state_of(state)->text;
  text.assign(reinterpret_cast<const char*>(payload), length);
  if (BROKEN(VALUE_CHANGES)) state_of(state)->one_text = "another";
  return text.c_str();
}

// -- extraction ---------------------------------------------------------------------------------------------------------------------

PLUGIN(const char*) plugin_get_fields() {
  static const std::string text = describe_fields(PEER_MAJOR == 0);
  return BROKEN(FIELDS) ? R"([{"name": "docker.type", "type": "string", "desc": "Kind of object",}])" : text.c_str();
}

namespace {

bool read_event(State& state, uint64_t number, const uint8_t* payload, uint32_t length) {
  if (BROKEN(STALE_CACHE) && number == state.last_number && payload == state.last_payload) return true;
  state.last_number = number;
  state.last_payload = payload;
  return state.fields.read(payload, length);
}

#if PEER_MAJOR == 0
void extract(State& state, bool well, abi03_field& field) {
  auto id = static_cast<Field>(field.id);
  if (!BROKEN(VALUES_UNWRITTEN)) field.present = 0;
  if (!well) return;
  bool is_number = field.type == TYPE_UINT64;
  if (!is_number) field.text = state.fields.text(id, field.arg);
  if (is_number ? state.fields.number(id, field.number) : field.text != nullptr) field.present = 1;
  if (BROKEN(NULL_STRING)) field.text = nullptr;
}
#else
template <typename AnyField>
void extract(State& state, bool well, AnyField& field) {
  auto id = static_cast<Field>(field.id);
  uint64_t count = 0;
  if (well && field.is_list) {
    state.fields.list(state.many);
    field.values.text = state.many.data();
    count = state.many.size();
  } else if (well && field.type == TYPE_UINT64) {
    field.values.number = &state.one_number;
    count = state.fields.number(id, state.one_number);
  } else if (well) {
    state.one_text = state.fields.text(id, field.key);
    field.values.text = &state.one_text;
    count = state.one_text != nullptr;
  }
  if (BROKEN(NULL_STRING)) state.one_text = nullptr;
  if (BROKEN(NULL_VALUES)) field.values.any = nullptr;
  if (BROKEN(TWO_VALUES) && id == Field::type) count = 2;
  if (BROKEN(INPUT_CHANGES)) field.id = 0;
  if (count > 0 || !BROKEN(VALUES_UNWRITTEN)) field.count = count;
}
#endif

}  // namespace

#if PEER_MAJOR < 3
#if PEER_MAJOR == 0
using any_field = abi03_field;
#else
using any_field = abi1_field;
#endif
PLUGIN(int32_t) plugin_extract_fields(void* self, const flat_event* event, uint32_t count, any_field* fields) {
  State& state = *state_of(self);
  bool well = read_event(state, event->number, event->data, event->length);
  for (uint32_t i = 0; i < count; i++) extract(state, well, fields[i]);
  return RC_SUCCESS;
}
#else
#if PEER_MINOR >= 11
// The offsets of the strings in the event. Escaped strings and numbers have none.
static void locate(State& state, const block_plugin_event* event, const abi3_field& field, value_offsets& offsets) {
  state.starts.assign(field.count, 0);
  state.lengths.assign(field.count, 0);
  for (uint64_t i = 0; field.type == TYPE_STRING && i < field.count; i++) {
    size_t length = std::strlen(field.values.text[i]);
    const void* found = memmem(event->payload, event->payload_length, field.values.text[i], length);
    if (found == nullptr) continue;
    state.starts[i] = static_cast<uint32_t>(static_cast<const uint8_t*>(found) - reinterpret_cast<const uint8_t*>(event));
    state.lengths[i] = BROKEN(OFFSETS) ? event->header.length : static_cast<uint32_t>(length);
  }
  offsets = {state.starts.data(), state.lengths.data()};
}
#endif

PLUGIN(int32_t) plugin_extract_fields(void* self, const event_input* about, const extract_input* input) {
  State& state = *state_of(self);
  auto* event = reinterpret_cast<const block_plugin_event*>(about->event);
  bool well = read_event(state, about->number, event->payload, event->payload_length);
  if (BROKEN(EVENT_CHANGES)) const_cast<uint8_t*>(event->payload)[0] = ' ';
  for (uint32_t i = 0; i < input->field_count; i++) extract(state, well, input->fields[i]);
#if PEER_MINOR >= 11
  for (uint32_t i = 0; input->offsets != nullptr && i < input->field_count; i++) locate(state, event, input->fields[i], input->offsets[i]);
#endif
  return BROKEN(RETURN_CODE) ? RC_TIMEOUT : RC_SUCCESS;
}
#endif

#ifdef PEER_WRONG_SYMBOLS
PLUGIN(const char*) plugin_get_async_events() { return "[]"; }
#endif
