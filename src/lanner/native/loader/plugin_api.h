/* The part of the plugin API that a plugin with sourcing and extraction needs, in the version of LANNER_API: 3 (3.x), 2 (2.0.0
 * and 1.0.0, whose structs are the same) or 0 (0.3.0). Facts: falcosecurity/libs, userspace/plugin/plugin_api.h and plugin_types.h
 * and the same files at older tags. All differences between the versions are here. */
#ifndef LANNER_PLUGIN_API_H
#define LANNER_PLUGIN_API_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "bridge/bridge.h"

#if LANNER_API == 3

struct host_event {
  struct __attribute__((packed)) {
    uint64_t timestamp;
    uint64_t thread;
    uint32_t size;
    uint16_t type;
    uint32_t parameters;
  } const* block;
  uint64_t number;
  const char* source;
};

struct host_field {
  const void* values;
  uint64_t count;
  uint32_t id;
  const char* name;
  const char* key;
  uint64_t index;
  uint32_t has_argument;
  uint32_t type;
  uint32_t is_list;
};

struct host_offsets {
  const uint32_t* starts;
  const uint32_t* sizes;
};

struct host_extraction {
  void* owner;
  const char* (*owner_error)(void*);
  uint32_t count;
  struct host_field* fields;
  void* table_reader[4];
  void* table_reader_ext;
  struct host_offsets* offsets; /* since 3.11: missing for a plugin that requires an earlier version */
};

struct host_init {
  const char* config;
  void* owner;
  const char* (*owner_error)(void*);
  const void* tables;
  lanner_log log; /* since 3.3: missing for a plugin that requires an earlier version */
};

#define EVENT_TYPE_PLUGIN 322

/* False for an event of another type, which has no payload for plugins. */
static inline bool event_from_host(const struct host_event* from, struct lanner_event* to) {
  if (from->block->type != EVENT_TYPE_PLUGIN || from->block->size < LANNER_BLOCK_HEADER) return false;
  to->payload = (const uint8_t*)from->block + LANNER_BLOCK_HEADER;
  to->size = from->block->size - LANNER_BLOCK_HEADER;
  to->timestamp = from->block->timestamp;
  to->number = from->number;
  to->source = from->source;
  return true;
}

#else

typedef struct lanner_struct_event host_event;

static inline void event_from_host(const host_event* from, struct lanner_event* to) {
  to->payload = from->data;
  to->size = from->size;
  to->timestamp = from->timestamp;
  to->number = from->number;
  to->source = NULL;
}

#if LANNER_API == 2

struct host_field {
  const void* values;
  uint64_t count;
  uint32_t id;
  const char* name;
  const char* key;
  uint64_t index;
  bool has_argument;
  uint32_t type;
  bool is_list;
};

#else

/* One value, a string or a number. The argument, including an index, is a string, "" without one. */
struct host_field {
  uint32_t id;
  const char* name;
  const char* argument;
  uint32_t type;
  bool is_present;
  const char* text;
  uint64_t number;
};

#endif
#endif

#if LANNER_API == 0

/* An index arrives as text, which is also a key: the bridge uses what the field takes. */
static inline void request_from_host(const struct host_field* from, struct lanner_request* to) {
  *to = (struct lanner_request){.field = from->id};
  const char* argument = from->argument ? from->argument : "";
  const size_t digits = strspn(argument, "0123456789");
  if (*argument) to->key = argument;
  if (digits && digits < 20 && !argument[digits] && (argument[0] != '0' || digits == 1)) {
    to->has_index = true;
    for (; *argument; ++argument) to->index = to->index * 10 + (uint64_t)(*argument - '0');
  }
}

static inline void result_to_host(const struct lanner_result* from, struct host_field* to) {
  to->is_present = from->count == 1;
  if (!to->is_present) return;
  if (to->type == LANNER_STRING) to->text = *(const char* const*)from->values;
  else to->number = *(const uint64_t*)from->values;
}

#else

/* For an index the host sets the key to NULL, or passes both. Without an argument both are undefined. */
static inline void request_from_host(const struct host_field* from, struct lanner_request* to) {
  *to = (struct lanner_request){.field = from->id};
  if (!from->has_argument) return;
  to->key = from->key;
  to->index = from->index;
  to->has_index = true;
}

static inline void result_to_host(const struct lanner_result* from, struct host_field* to) {
  to->values = from->values;
  to->count = from->count;
}

#endif
#endif
