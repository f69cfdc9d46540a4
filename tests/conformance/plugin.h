/* A plugin's library: loading it, what it says of itself, and its functions called by the types of its ABI. */
#ifndef LANNER_TESTS_HOST_PLUGIN_H
#define LANNER_TESTS_HOST_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"
#include "json.h"

/* clang-format off */
#define PLUGIN_SYMBOLS(X) \
  X(get_required_api_version) X(get_type) X(get_version) X(get_name) X(get_description) X(get_contact) X(get_init_schema) X(init) \
  X(destroy) X(get_last_error) X(set_config) X(get_metrics) X(get_required_event_schema_version) \
  X(get_id) X(get_event_source) X(open) X(close) X(next_batch) X(list_open_params) X(get_progress) X(event_to_string) \
  X(get_fields) X(extract_fields) X(get_extract_event_sources) X(get_extract_event_types) \
  X(parse_event) X(get_parse_event_sources) X(get_parse_event_types) \
  X(get_async_events) X(set_async_event_handler) X(get_async_event_sources) X(dump_state) X(capture_open) X(capture_close)
/* clang-format on */

enum symbol {
#define AS_ENUM(name) SYMBOL_##name,
  PLUGIN_SYMBOLS(AS_ENUM)
#undef AS_ENUM
      SYMBOL_COUNT
};

struct field {
  char* name;
  uint32_t type;
  bool is_list, takes_index, takes_key, needs_arg;
};

/* A field as a rule asks for it. */
struct request {
  const struct field* field;
  uint32_t id;
  char* label; /* docker.attributes[name] */
  char* arg;   /* NULL: none */
  bool has_index;
  uint64_t index;
};

/* A string that a plugin handed out, and how it was then. */
struct held_text {
  const char* function;
  const char* text;
  char* copy;
};

enum { MOST_HELD = 16 };

enum { OWNER_MARK = 0x0E11E5 };

struct plugin {
  unsigned mark; /* OWNER_MARK, once it is loaded: plugins get their struct as their owner */
  char name[64];
  char path[4096];
  int load_flags;
  void* library;
  void* symbols[SYMBOL_COUNT];
  unsigned major, minor, patch; /* of the ABI that it requires; 0.3 is major 0 */
  bool is_source, is_extractor;
  uint32_t id;
  const char* source;  /* without a source: the first that it extracts from */
  struct json* schema; /* of init's configuration; NULL: none in JSON */
  struct field* fields;
  uint32_t field_count;
  char* first_extract_source;
  struct held_text held[MOST_HELD];
  int held_count;
};

bool plugin_has(const struct plugin* plugin, enum symbol symbol);
bool plugin_since(const struct plugin* plugin, unsigned major, unsigned minor);

/* False: cannot be used at all; the violations say why. */
bool plugin_load(struct plugin* plugin);
bool plugin_unload(struct plugin* plugin); /* whether it is really gone from the process */

/* Everything that can be asked without init; written as members of an object. False: the framework would refuse the plugin. */
bool plugin_describe(struct plugin* plugin, struct json_out* out);
/* Strings of plugin_describe must stay as they were for as long as their functions are not called again. */
void plugin_check_held_texts(const struct plugin* plugin);

/* "name,name[arg]"; NULL: every field that needs no argument. NULL is returned with a message on stderr when the wish cannot be met. */
struct request* plugin_requests(const struct plugin* plugin, const char* wish, uint32_t* count);
void free_requests(struct request* requests, uint32_t count);

/* -- calls -------------------------------------------------------------------------------------------------------------------------- */

void* call_init(const struct plugin* plugin, const char* config, int32_t* rc);
void call_destroy(const struct plugin* plugin, void* state);
const char* call_last_error(const struct plugin* plugin, void* state);
void* call_open(const struct plugin* plugin, void* state, const char* params, int32_t* rc);
void call_close(const struct plugin* plugin, void* state, void* instance);
int32_t call_next_batch(const struct plugin* plugin, void* state, void* instance, uint32_t* count, void** events);
const char* call_list_open_params(const struct plugin* plugin, void* state, int32_t* rc);
const char* call_get_progress(const struct plugin* plugin, void* state, void* instance, uint32_t* progress);

/* An event as the framework hands it to plugins. */
struct event {
  uint64_t number;
  uint64_t ts;
  const uint8_t* payload;
  uint32_t length;
  const struct block_event* block; /* 3.x */
};

const char* call_event_to_string(const struct plugin* plugin, void* state, const struct event* event);

/* One field asked for of one event. */
struct extraction {
  int32_t rc;
  union {
    struct abi03_field abi03;
    struct abi1_field abi1;
    struct abi3_field abi3;
  } field;
  struct value_offsets offsets;
};

/* Fills in what the framework fills in, and garbage elsewhere. */
void prepare_extraction(const struct plugin* plugin, const struct request* request, const char* name, const char* arg,
                        struct extraction* to);
void call_extract(const struct plugin* plugin, void* state, const struct event* event, struct extraction* extraction, bool with_offsets);

#endif
