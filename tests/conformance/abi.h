/* The Falco plugin C ABIs 0.3, 1.0, 2.0 and 3.x, as far as sources and field extraction go.
 *
 * Our own declarations, for LP64 machines; both the host and the peer are built on them. `flat` are the structs that 0.3 to 2.0
 * share, `block` those of 3.x, where an event is one packed piece of memory. Return codes are int32_t: enums of C are of no fixed size. */
#ifndef LANNER_TESTS_HOST_ABI_H
#define LANNER_TESTS_HOST_ABI_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum { RC_SUCCESS = 0, RC_FAILURE = 1, RC_TIMEOUT = -1, RC_EOF = 2, RC_NOT_SUPPORTED = 3 };
enum { SCHEMA_NONE = 0, SCHEMA_JSON = 1 };
enum { TYPE_UINT64 = 8, TYPE_STRING = 9, TYPE_RELTIME = 20, TYPE_ABSTIME = 21, TYPE_BOOL = 25, TYPE_IPADDR = 40, TYPE_IPNET = 41 };
enum { KIND_SOURCE = 1, KIND_EXTRACTOR = 2 }; /* what get_type answers, only in 0.3 */

/* -- 0.3 to 2.0 -------------------------------------------------------------------------------------------------------------------- */

struct flat_event {
  uint64_t number; /* the framework's to set */
  const uint8_t* data;
  uint32_t length;
  uint64_t ts; /* UINT64_MAX: now */
};

/* 0.3: one value, text or number. Truth values are one byte; they are bytes here, as a plugin may leave garbage in the rest. */
struct abi03_field {
  uint32_t id;
  const char* name;
  const char* arg; /* "" without an argument */
  uint32_t type;
  uint8_t present; /* from here on: the plugin's to fill */
  const char* text;
  uint64_t number;
};

union field_values {
  const char** text;
  uint64_t* number;
  uint32_t* truth;
  struct byte_range* bytes;
  void* any;
};

/* 1.0 and 2.0 */
struct abi1_field {
  union field_values values; /* these two: the plugin's to fill */
  uint64_t count;
  uint32_t id;
  const char* name;
  const char* key;
  uint64_t index;
  uint8_t has_arg;
  uint32_t type;
  uint8_t is_list;
};

/* -- 3.x --------------------------------------------------------------------------------------------------------------------------- */

/* Behind it: one length (uint32_t) for each parameter, then the parameters' bytes. */
struct __attribute__((packed)) block_event {
  uint64_t ts; /* UINT64_MAX: now */
  uint64_t tid;
  uint32_t length; /* of the whole block */
  uint16_t type;
  uint32_t parameters;
};

/* An event of a plugin: two parameters, the plugin's id and the payload. */
struct __attribute__((packed)) block_plugin_event {
  struct block_event header;
  uint32_t id_length;
  uint32_t payload_length;
  uint32_t plugin_id; /* 0: the framework sets it */
  uint8_t payload[];
};

enum { EVENT_TYPE_PLUGIN = 322, EVENT_TYPE_ASYNC = 402, PAYLOAD_OFFSET = 38 };

struct event_input {
  const struct block_event* event;
  uint64_t number;
  const char* source;
};

struct byte_range {
  uint32_t length;
  const void* start;
};

struct abi3_field {
  union field_values values; /* these two: the plugin's to fill */
  uint64_t count;
  uint32_t id;
  const char* name;
  const char* key;
  uint64_t index;
  uint32_t has_arg;
  uint32_t type;
  uint32_t is_list;
};

/* Offsets of the values in the event, counted from its header: two arrays of the plugin, one entry for each value. Since 3.11. */
struct value_offsets {
  uint32_t* start;
  uint32_t* length;
};

typedef void (*any_function)(void);
typedef const char* (*owner_error_function)(void* owner);
typedef void (*log_function)(void* owner, const char* component, const char* message, int32_t severity);

/* Tables of state: unused by the plugins here, so their functions have no exact type. */
struct tables_input {
  any_function list_tables, get_table, add_table;
  any_function list_fields, get_field, add_field;
  void* fields_ext; /* since 3.1 */
  void* reader_ext; /* since 3.6, this and the next one */
  void* writer_ext;
};

struct init_input {
  const char* config;
  void* owner;
  owner_error_function owner_error;
  const struct tables_input* tables;
  log_function log; /* since 3.3 */
};

struct extract_input {
  void* owner;
  owner_error_function owner_error;
  uint32_t field_count;
  struct abi3_field* fields;
  any_function table_name, table_size, table_entry, read_entry;
  void* reader_ext;              /* since 3.1 */
  struct value_offsets* offsets; /* since 3.11; NULL: not asked for */
};

struct config_input {
  const char* config;
};

union metric_value {
  uint32_t u32;
  int32_t s32;
  uint64_t u64;
  int64_t s64;
  double f64;
  float f32;
};

struct metric {
  const char* name;
  int32_t kind; /* 0: only grows, 1: any */
  union metric_value value;
  int32_t type; /* 0 to 6: u32 s32 u64 s64 double float int */
};

static_assert(sizeof(struct flat_event) == 32, "flat_event");
static_assert(sizeof(struct abi03_field) == 48 && offsetof(struct abi03_field, present) == 28, "abi03_field");
static_assert(sizeof(struct abi1_field) == 64 && offsetof(struct abi1_field, is_list) == 56, "abi1_field");
static_assert(sizeof(struct abi3_field) == 64 && offsetof(struct abi3_field, is_list) == 56, "abi3_field");
static_assert(sizeof(struct block_event) == 26, "block_event");
static_assert(offsetof(struct block_plugin_event, payload) == PAYLOAD_OFFSET, "block_plugin_event");
static_assert(sizeof(struct tables_input) == 72 && sizeof(struct init_input) == 40 && sizeof(struct extract_input) == 80, "inputs");

#endif
