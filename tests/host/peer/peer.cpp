// A plugin written by hand against the C ABI: what the host must accept, and how fast plain C++ gets.
//
// PEER_API is the version that it requires, PEER_MAJOR and PEER_MINOR its parts. With -DBREAK_x it does one thing wrong, for the
// host to find; each place is marked by its name.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "../abi.h"
#include "fields.hpp"
#include "source.hpp"

#define PLUGIN(type) extern "C" __attribute__((visibility("default"))) type

namespace {

constexpr uint32_t plugin_id = 998;

struct State {
  std::string error = "no error";
  EventFields fields;
  std::string text;  // of event_to_string
  // what extract_fields returned last
  const char *one_text = nullptr;
  uint64_t one_number = 0;
  std::vector<const char *> many;
  std::vector<uint32_t> starts, lengths;
#ifdef BREAK_STALE_CACHE
  uint64_t last_number = 0;
  const void *last_payload = nullptr;
#endif
};

struct Instance {
  std::unique_ptr<Source> source;
  std::string progress;
  std::vector<std::string_view> lines;
#if PEER_MAJOR >= 3
  std::vector<uint8_t> arena;
  std::vector<block_plugin_event *> events;
#else
  std::vector<flat_event> events;
#endif
#ifdef BREAK_EOF_ONCE
  bool ended = false;
#endif
};

State *state_of(void *state) { return static_cast<State *>(state); }
Instance *instance_of(void *instance) { return static_cast<Instance *>(instance); }

void *init_state(std::string_view config, int32_t *rc) {
#ifdef BREAK_SAME_STATE
  static State shared;
  State *state = &shared;
#else
  auto *state = new State;
#endif
#ifndef BREAK_RC_UNWRITTEN
  *rc = RC_SUCCESS;
#endif
  if (config.empty() || config == "{}") return state;
  *rc = RC_FAILURE;
#ifdef BREAK_NULL_STATE
  delete state;
  return nullptr;
#endif
  state->error = "there is nothing to configure: {}";
  return state;
}

}  // namespace

// -- base ---------------------------------------------------------------------------------------------------------------------------

PLUGIN(const char *) plugin_get_required_api_version() { return PEER_API; }
PLUGIN(const char *) plugin_get_name() { return "peer"; }
PLUGIN(const char *) plugin_get_description() { return "Docker events, read by hand-written C++"; }
#ifndef BREAK_MISSING_SYMBOL
PLUGIN(const char *) plugin_get_contact() { return "the Lanner authors"; }
#endif
#ifdef BREAK_VERSION
PLUGIN(const char *) plugin_get_version() { return "0.1"; }
#else
PLUGIN(const char *) plugin_get_version() { return "0.1.0"; }
#endif
#if PEER_MAJOR == 0
PLUGIN(uint32_t) plugin_get_type() { return KIND_SOURCE; }
#endif

PLUGIN(const char *) plugin_get_init_schema(int32_t *type) {
  *type = SCHEMA_JSON;
  return R"({"type": "object", "additionalProperties": false})";
}

#if PEER_MAJOR >= 3
PLUGIN(void *) plugin_init(const init_input *input, int32_t *rc) {
#if PEER_MINOR >= 3 || defined(BREAK_LOG_TOO_OLD)
  input->log(input->owner, nullptr, "the peer begins", 6);
#endif
  return init_state(input->config, rc);
}
#else
PLUGIN(void *) plugin_init(const char *config, int32_t *rc) { return init_state(config, rc); }
#endif

PLUGIN(void) plugin_destroy(void *state) {
#ifndef BREAK_SAME_STATE
  delete state_of(state);
#else
  (void)state;
#endif
}

PLUGIN(const char *) plugin_get_last_error(void *state) {
#ifdef BREAK_NO_ERROR
  (void)state;
  return "";
#else
  return state_of(state)->error.c_str();
#endif
}

// -- source -------------------------------------------------------------------------------------------------------------------------

PLUGIN(uint32_t) plugin_get_id() { return plugin_id; }
PLUGIN(const char *) plugin_get_event_source() { return "docker"; }

PLUGIN(const char *) plugin_list_open_params(void *, int32_t *rc) {
  *rc = RC_SUCCESS;
  return R"([{"value": "unix:/var/run/docker.sock", "desc": "the engine of this machine"}])";
}

PLUGIN(void *) plugin_open(void *state, const char *params, int32_t *rc) {
  auto instance = std::make_unique<Instance>();
  instance->source = open_source(params, state_of(state)->error);
  *rc = instance->source ? RC_SUCCESS : RC_FAILURE;
  return instance->source ? instance.release() : nullptr;
}

PLUGIN(void) plugin_close(void *, void *instance) { delete instance_of(instance); }

PLUGIN(const char *) plugin_get_progress(void *, void *opened, uint32_t *progress) {
  Instance *instance = instance_of(opened);
  *progress = instance->source->progress();
  instance->progress = std::to_string(*progress / 100) + "%";
#ifdef BREAK_PROGRESS
  *progress = 10001;
#endif
  return instance->progress.c_str();
}

namespace {

#if PEER_MAJOR >= 3
void lay_out(Instance &instance) {
  size_t size = 0;
  for (std::string_view line : instance.lines) size += PAYLOAD_OFFSET + line.size();
#ifdef BREAK_READ_ONLY
  instance.arena.resize(size + 8192);
  auto *to = reinterpret_cast<uint8_t *>((reinterpret_cast<uintptr_t>(instance.arena.data()) + 4095) & ~uintptr_t{4095});
#else
  if (instance.arena.size() < size) instance.arena.resize(size);
  uint8_t *to = instance.arena.data();
#endif
  instance.events.clear();
  for (std::string_view line : instance.lines) {
    auto *event = reinterpret_cast<block_plugin_event *>(to);
    auto length = static_cast<uint32_t>(line.size());
    event->header = {event_time(line), UINT64_MAX, PAYLOAD_OFFSET + length, EVENT_TYPE_PLUGIN, 2};
    event->id_length = 4;
    event->payload_length = length;
    event->plugin_id = 0;  // the framework fills in ours
#ifdef BREAK_WRONG_ID
    event->plugin_id = 7;
#endif
#ifdef BREAK_LENGTH
    event->header.length++;
#endif
    std::memcpy(event->payload, line.data(), length);
    instance.events.push_back(event);
    to += PAYLOAD_OFFSET + length;
  }
#ifdef BREAK_READ_ONLY
  mprotect(instance.events[0], 4096, PROT_READ);
#endif
}
#else
void lay_out(Instance &instance) {
  instance.events.clear();
  for (std::string_view line : instance.lines) {
    auto *data = reinterpret_cast<const uint8_t *>(line.data());
    instance.events.push_back({0, data, static_cast<uint32_t>(line.size()), event_time(line)});
  }
}
#endif

}  // namespace

PLUGIN(int32_t) plugin_next_batch(void *state, void *opened, uint32_t *count, void *events) {
  Instance &instance = *instance_of(opened);
#ifdef BREAK_COUNT_UNWRITTEN
  return RC_TIMEOUT;
#endif
  *count = 0;
#ifdef BREAK_NO_EVENTS
  return RC_SUCCESS;
#endif
#ifdef BREAK_SLOW
  usleep(60000);
#endif
#ifdef BREAK_EOF_ONCE
  if (instance.ended) return RC_TIMEOUT;
#endif
  instance.lines.clear();
  Source::Outcome outcome = instance.source->next(instance.lines);
  if (!instance.lines.empty()) lay_out(instance);
  *count = static_cast<uint32_t>(instance.lines.size());
  auto *first = instance.events.data();
  std::memcpy(events, &first, sizeof first);
#ifdef BREAK_EOF_ONCE
  instance.ended = outcome == Source::Outcome::end;
#endif
  switch (outcome) {
    case Source::Outcome::more: return RC_SUCCESS;
    case Source::Outcome::idle: return RC_TIMEOUT;
    case Source::Outcome::end: return RC_EOF;
    default: state_of(state)->error = instance.source->error; return RC_FAILURE;
  }
}

#if PEER_MAJOR == 0
PLUGIN(const char *) plugin_event_to_string(void *state, const uint8_t *payload, uint32_t length) {
#elif PEER_MAJOR < 3
PLUGIN(const char *) plugin_event_to_string(void *state, const flat_event *event) {
  const uint8_t *payload = event->data;
  uint32_t length = event->length;
#else
PLUGIN(const char *) plugin_event_to_string(void *state, const event_input *input) {
  auto *event = reinterpret_cast<const block_plugin_event *>(input->event);
  const uint8_t *payload = event->payload;
  uint32_t length = event->payload_length;
#endif
  std::string &text = state_of(state)->text;
  text.assign(reinterpret_cast<const char *>(payload), length);
#ifdef BREAK_VALUE_CHANGES
  state_of(state)->one_text = "another";
  state_of(state)->many.assign(state_of(state)->many.size(), "another");
#endif
  return text.c_str();
}

// -- extraction ---------------------------------------------------------------------------------------------------------------------

PLUGIN(const char *) plugin_get_fields() {
#ifdef BREAK_FIELDS
  return R"([{"name": "docker.type", "type": "string", "desc": "Kind of object",}])";
#else
  static const std::string text = describe_fields(PEER_MAJOR == 0);
  return text.c_str();
#endif
}

namespace {

bool read_event(State &state, uint64_t number, const uint8_t *payload, uint32_t length) {
#ifdef BREAK_STALE_CACHE
  bool same = number == state.last_number && payload == state.last_payload;
  state.last_number = number;
  state.last_payload = payload;
  if (same) return true;
#endif
  (void)number;
  return state.fields.read(payload, length);
}

#if PEER_MAJOR == 0
void extract(State &state, bool well, abi03_field &field) {
  auto id = static_cast<Field>(field.id);
#ifndef BREAK_COUNT_OF_VALUES_UNWRITTEN
  field.present = 0;
#endif
  if (!well) return;
  bool present = field.type == TYPE_UINT64 ? state.fields.number(id, field.number) : (field.text = state.fields.text(id, field.arg)) != nullptr;
  if (present) field.present = 1;
#ifdef BREAK_NULL_STRING
  field.text = nullptr;
#endif
}
#else
template <typename AnyField>
void extract(State &state, bool well, AnyField &field) {
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
#ifdef BREAK_NULL_STRING
  if (!field.is_list) state.one_text = nullptr;
#endif
#ifdef BREAK_TWO_VALUES
  if (id == Field::type) count = 2;
#endif
#ifdef BREAK_COUNT_OF_VALUES_UNWRITTEN
  if (count == 0) return;
#endif
  field.count = count;
}
#endif

}  // namespace

#if PEER_MAJOR < 3
#if PEER_MAJOR == 0
using any_field = abi03_field;
#else
using any_field = abi1_field;
#endif
PLUGIN(int32_t) plugin_extract_fields(void *self, const flat_event *event, uint32_t count, any_field *fields) {
  State &state = *state_of(self);
  bool well = read_event(state, event->number, event->data, event->length);
  for (uint32_t i = 0; i < count; i++) extract(state, well, fields[i]);
  return RC_SUCCESS;
}
#else
#if PEER_MINOR >= 11
// Where the texts lie in the event; escaped ones and numbers are of no place.
static void locate(State &state, const block_plugin_event *event, const abi3_field &field, value_offsets &offsets) {
  state.starts.assign(field.count, 0);
  state.lengths.assign(field.count, 0);
  for (uint64_t i = 0; field.type == TYPE_STRING && i < field.count; i++) {
    size_t length = std::strlen(field.values.text[i]);
    const void *found = memmem(event->payload, event->payload_length, field.values.text[i], length);
    if (found == nullptr) continue;
    state.starts[i] = static_cast<uint32_t>(static_cast<const uint8_t *>(found) - reinterpret_cast<const uint8_t *>(event));
    state.lengths[i] = static_cast<uint32_t>(length);
#ifdef BREAK_OFFSETS
    state.lengths[i] = event->header.length;
#endif
  }
  offsets = {state.starts.data(), state.lengths.data()};
}
#endif

PLUGIN(int32_t) plugin_extract_fields(void *self, const event_input *about, const extract_input *input) {
  State &state = *state_of(self);
  auto *event = reinterpret_cast<const block_plugin_event *>(about->event);
  bool well = read_event(state, about->number, event->payload, event->payload_length);
#ifdef BREAK_EVENT_CHANGES
  const_cast<uint8_t *>(event->payload)[0] = ' ';
#endif
  for (uint32_t i = 0; i < input->field_count; i++) extract(state, well, input->fields[i]);
#if PEER_MINOR >= 11
  for (uint32_t i = 0; input->offsets != nullptr && i < input->field_count; i++) locate(state, event, input->fields[i], input->offsets[i]);
#endif
  return RC_SUCCESS;
}
#endif

#ifdef BREAK_ORPHAN_SYMBOL
PLUGIN(const char *) plugin_get_async_events() { return "[]"; }
#endif
