/* A plugin with a field of each type of API 3.x, lists of them, indexes, metrics and settings: for the host to read.
 *
 * Its two events come with TIMEOUT, the second without a time. Opened with "fail" it then fails; else it ends. TYPES_BREAK in the
 * environment names what it does wrong. With -DONLY_EXTRACTS it has no source, and reads the events of the peer. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../abi.h"

#define PLUGIN __attribute__((visibility("default")))

enum { PLUGIN_ID = 997, EVENTS = 2, LONGEST = 64 };

struct state {
  char error[64];
  char config[64];
  char text[LONGEST + 1];
  const char* texts[3];
  struct metric metrics[2];
};

#ifndef ONLY_EXTRACTS
struct instance {
  bool fails;
  int calls;
  uint8_t blocks[EVENTS][sizeof(struct block_plugin_event) + LONGEST];
  struct block_plugin_event* events[EVENTS];
};
#endif

static bool broken(const char* what) {
  const char* chosen = getenv("TYPES_BREAK");
  return chosen != NULL && strcmp(chosen, what) == 0;
}

PLUGIN const char* plugin_get_required_api_version(void) { return "3.6.0"; }

PLUGIN const char* plugin_get_name(void) { return "types"; }

PLUGIN const char* plugin_get_description(void) { return "A field of each type"; }

PLUGIN const char* plugin_get_contact(void) { return "the Lanner authors"; }

PLUGIN const char* plugin_get_version(void) { return "1.2.3"; }

PLUGIN void* plugin_init(const struct init_input* input, int32_t* rc) {
  struct state* state = calloc(1, sizeof *state);
  snprintf(state->config, sizeof state->config, "%s", input->config);
  *rc = RC_SUCCESS;
  return state;
}

PLUGIN void plugin_destroy(void* state) { free(state); }

PLUGIN const char* plugin_get_last_error(void* state) { return ((struct state*)state)->error; }

PLUGIN int32_t plugin_set_config(void* self, const struct config_input* input) {
  struct state* state = self;
  snprintf(state->config, sizeof state->config, "%s", input->config);
  return RC_SUCCESS;
}

PLUGIN const struct metric* plugin_get_metrics(void* self, uint32_t* count) {
  struct state* state = self;
  state->metrics[0] = (struct metric){.name = "config_bytes", .value.u64 = strlen(state->config), .type = 2};
  state->metrics[1] = (struct metric){.name = "below", .kind = 1, .value.f64 = -0.5, .type = broken("METRIC") ? 7 : 4};
  *count = 2;
  return state->metrics;
}

PLUGIN const uint16_t* plugin_get_extract_event_types(uint32_t* count, void* state) {
  static const uint16_t types[] = {EVENT_TYPE_PLUGIN};
  (void)state;
  *count = 1;
  return types;
}

#ifdef ONLY_EXTRACTS
PLUGIN const char* plugin_get_extract_event_sources(void) { return "[\"docker\"]"; }
#else
PLUGIN const char* plugin_get_extract_event_sources(void) { return "[\"types\"]"; }

PLUGIN uint32_t plugin_get_id(void) { return PLUGIN_ID; }

PLUGIN const char* plugin_get_event_source(void) { return "types"; }

PLUGIN void* plugin_open(void* state, const char* params, int32_t* rc) {
  (void)state;
  struct instance* instance = calloc(1, sizeof *instance);
  instance->fails = strcmp(params, "fail") == 0;
  *rc = RC_SUCCESS;
  return instance;
}

PLUGIN void plugin_close(void* state, void* instance) {
  (void)state;
  free(instance);
}

PLUGIN int32_t plugin_next_batch(void* self, void* opened, uint32_t* count, struct block_plugin_event*** events) {
  static const char* const payloads[EVENTS] = {"first", ""};
  struct instance* instance = opened;
  *count = 0;
  if (instance->calls++ > 0) {
    snprintf(((struct state*)self)->error, LONGEST, "told to fail");
    return instance->fails ? RC_FAILURE : RC_EOF;
  }
  for (int i = 0; i < EVENTS; i++) {
    struct block_plugin_event* event = instance->events[i] = (struct block_plugin_event*)instance->blocks[i];
    uint32_t length = (uint32_t)strlen(payloads[i]);
    event->header = (struct block_event){i == 0 ? 1234567890 : UINT64_MAX, 0, PAYLOAD_OFFSET + length, EVENT_TYPE_PLUGIN, 2};
    event->id_length = 4;
    event->payload_length = length;
    event->plugin_id = PLUGIN_ID;
    memcpy(event->payload, payloads[i], length);
  }
  *events = instance->events;
  *count = EVENTS;
  return RC_TIMEOUT;
}
#endif

enum field {
  FIELD_BOOL,
  FIELD_BOOLS,
  FIELD_UINT64,
  FIELD_RELTIME,
  FIELD_ABSTIME,
  FIELD_IPADDR,
  FIELD_IPADDRS,
  FIELD_IPNET,
  FIELD_STRINGS,
  FIELD_ARG,
};

PLUGIN const char* plugin_get_fields(void) {
  return "[{\"name\": \"types.bool\", \"type\": \"bool\", \"desc\": \"-\"},"
         " {\"name\": \"types.bools\", \"type\": \"bool\", \"desc\": \"-\", \"isList\": true},"
         " {\"name\": \"types.uint64\", \"type\": \"uint64\", \"desc\": \"-\"},"
         " {\"name\": \"types.reltime\", \"type\": \"reltime\", \"desc\": \"-\"},"
         " {\"name\": \"types.abstime\", \"type\": \"abstime\", \"desc\": \"-\"},"
         " {\"name\": \"types.ipaddr\", \"type\": \"ipaddr\", \"desc\": \"-\"},"
         " {\"name\": \"types.ipaddrs\", \"type\": \"ipaddr\", \"desc\": \"-\", \"isList\": true},"
         " {\"name\": \"types.ipnet\", \"type\": \"ipnet\", \"desc\": \"-\"},"
         " {\"name\": \"types.strings\", \"type\": \"string\", \"desc\": \"-\", \"isList\": true},"
         " {\"name\": \"types.arg\", \"type\": \"string\", \"desc\": \"-\", \"arg\": {\"isIndex\": true, \"isKey\": true}}]";
}

/* The values of one field; how many. */
static uint64_t values_of(struct state* state, struct abi3_field* field) {
  static uint32_t truths[] = {1, 0, 1};
  static uint64_t most = UINT64_MAX, reltime = 1500000000, abstime = 1700000000000000001;
  static const uint8_t v4[] = {192, 0, 2, 1}, v6[16] = {0x20, 0x01, 0x0D, 0xB8, [15] = 1};
  static struct byte_range addresses[] = {{4, v4}, {16, v6}};
  switch ((enum field)field->id) {
    case FIELD_BOOL:
      field->values.truth = truths;
      if (broken("BOOL")) field->values.truth = (uint32_t*)(void*)"\1\2\3"; /* bools of one byte each */
      return 1;
    case FIELD_BOOLS:
      field->values.truth = truths;
      return 3;
    case FIELD_UINT64:
      field->values.number = &most;
      return 1;
    case FIELD_RELTIME:
      field->values.number = &reltime;
      return 1;
    case FIELD_ABSTIME:
      field->values.number = &abstime;
      return 1;
    case FIELD_IPADDR:
      addresses[0].length = broken("ADDRESS") ? 5 : 4;
      field->values.bytes = &addresses[0];
      return 1;
    case FIELD_IPADDRS:
      field->values.bytes = addresses;
      return 2;
    case FIELD_IPNET:
      field->values.bytes = &addresses[1];
      return 1;
    case FIELD_STRINGS:
      state->texts[0] = "a";
      state->texts[1] = "";
      state->texts[2] = broken("LIST") ? NULL : "\xff";
      field->values.text = state->texts;
      return 3;
    case FIELD_ARG:
      if (!field->has_arg) return 0;
      bool is_index = field->key != NULL && field->key[0] >= '1' && field->key[0] <= '9';
      snprintf(state->text, sizeof state->text, "key %.20s, index %d", field->key, is_index ? (int)field->index : -1);
      state->texts[0] = state->text;
      field->values.text = state->texts;
      return 1;
  }
  return 0;
}

PLUGIN int32_t plugin_extract_fields(void* self, const struct event_input* about, const struct extract_input* input) {
  const struct block_plugin_event* event = (const struct block_plugin_event*)about->event;
  for (uint32_t i = 0; i < input->field_count; i++) {
    input->fields[i].count = event->payload_length == 0 ? 0 : values_of(self, &input->fields[i]);
  }
  return event->payload_length == 0 ? RC_FAILURE : RC_SUCCESS; /* a failure means no value, too */
}
