/* Every function of a plugin by its type in each ABI, with all that the framework leaves uninitialised filled with garbage. */
#include <stdlib.h>
#include <string.h>

#include "plugin.h"
#include "report.h"

#define FUNCTION(plugin, name, type) ((type)(plugin)->symbols[SYMBOL_##name])

/* The part of an owner that plugins get. */
static bool is_owner(const void* who) { return who != NULL && *(const unsigned*)who == OWNER_MARK; }

static const char* owner_error(void* who) {
  if (!is_owner(who)) violation("get_owner_last_error: called with another owner than the one given");
  return "this host has no tables";
}

static void log_to_report(void* who, const char* component, const char* message, int32_t severity) {
  if (!is_owner(who)) {
    violation("log_fn: called with another owner than the one given");
    return;
  }
  keep_log(((const struct plugin*)who)->name, component, message, severity);
}

static void* no_tables(void* who, uint32_t* count) {
  (void)who;
  *count = 0;
  return NULL;
}

static void* no_table(void) { return NULL; }

static int32_t no_success(void) { return RC_FAILURE; }

static const struct tables_input tables = {
    .list_tables = (any_function)no_tables,
    .get_table = (any_function)no_table,
    .add_table = (any_function)no_success,
    .list_fields = (any_function)no_tables,
    .get_field = (any_function)no_table,
    .add_field = (any_function)no_table,
};

void* call_init(const struct plugin* plugin, const char* config, int32_t* rc) {
  doing = "init";
  if (plugin->schema != NULL && *config == '\0') config = "{}";
  if (plugin->major < 3) return FUNCTION(plugin, init, void* (*)(const char*, int32_t*))(config, rc);
  struct init_input input = {.config = config, .owner = (void*)plugin, .owner_error = owner_error};
  if (plugin->is_extractor || plugin_has(plugin, SYMBOL_parse_event)) input.tables = &tables;
  /* A framework of the version required has no such member: what lies there is anybody's. */
  if (plugin_since(plugin, 3, 3)) input.log = log_to_report;
  else memset(&input.log, 0xAA, sizeof input.log);
  return FUNCTION(plugin, init, void* (*)(const struct init_input*, int32_t*))(&input, rc);
}

void call_destroy(const struct plugin* plugin, void* state) {
  doing = "destroy";
  FUNCTION(plugin, destroy, void (*)(void*))(state);
}

const char* call_last_error(const struct plugin* plugin, void* state) {
  doing = "get_last_error";
  return FUNCTION(plugin, get_last_error, const char* (*)(void*))(state);
}

void* call_open(const struct plugin* plugin, void* state, const char* params, int32_t* rc) {
  doing = "open";
  return FUNCTION(plugin, open, void* (*)(void*, const char*, int32_t*))(state, params, rc);
}

void call_close(const struct plugin* plugin, void* state, void* instance) {
  doing = "close";
  FUNCTION(plugin, close, void (*)(void*, void*))(state, instance);
}

int32_t call_next_batch(const struct plugin* plugin, void* state, void* instance, uint32_t* count, void** events) {
  doing = "next_batch";
  return FUNCTION(plugin, next_batch, int32_t (*)(void*, void*, uint32_t*, void**))(state, instance, count, events);
}

const char* call_list_open_params(const struct plugin* plugin, void* state, int32_t* rc) {
  doing = "list_open_params";
  return FUNCTION(plugin, list_open_params, const char* (*)(void*, int32_t*))(state, rc);
}

const char* call_get_progress(const struct plugin* plugin, void* state, void* instance, uint32_t* progress) {
  doing = "get_progress";
  return FUNCTION(plugin, get_progress, const char* (*)(void*, void*, uint32_t*))(state, instance, progress);
}

static struct flat_event flat(const struct event* event) {
  return (struct flat_event){.number = event->number, .data = event->payload, .length = event->length, .ts = event->ts};
}

static struct event_input input_of(const struct plugin* plugin, const struct event* event) {
  return (struct event_input){.event = event->block, .number = event->number, .source = plugin->source};
}

const char* call_event_to_string(const struct plugin* plugin, void* state, const struct event* event) {
  doing = "event_to_string";
  if (plugin->major >= 3) {
    struct event_input input = input_of(plugin, event);
    return FUNCTION(plugin, event_to_string, const char* (*)(void*, const struct event_input*))(state, &input);
  }
  if (plugin->major == 0) {
    typedef const char* (*function)(void*, const uint8_t*, uint32_t);
    return FUNCTION(plugin, event_to_string, function)(state, event->payload, event->length);
  }
  struct flat_event input = flat(event);
  return FUNCTION(plugin, event_to_string, const char* (*)(void*, const struct flat_event*))(state, &input);
}

void prepare_extraction(const struct plugin* plugin, const struct request* request, const char* name, const char* arg,
                        struct extraction* to) {
  const struct field* field = request->field;
  memset(to, 0xAA, sizeof *to);
  to->offsets.start = to->offsets.length = NULL;
  if (plugin->major == 0) {
    to->field.abi03.id = request->id;
    to->field.abi03.name = name;
    to->field.abi03.arg = arg == NULL ? "" : arg;
    to->field.abi03.type = field->type;
  } else if (plugin->major < 3) {
    to->field.abi1.id = request->id;
    to->field.abi1.name = name;
    to->field.abi1.key = field->takes_key ? arg : NULL;
    if (arg == NULL || request->has_index) to->field.abi1.index = arg == NULL ? 0 : request->index;
    to->field.abi1.has_arg = arg != NULL;
    to->field.abi1.type = field->type;
    to->field.abi1.is_list = field->is_list;
  } else {
    to->field.abi3.id = request->id;
    to->field.abi3.name = name;
    to->field.abi3.key = field->takes_key ? arg : NULL;
    if (request->has_index) to->field.abi3.index = request->index; /* else it is what it is */
    to->field.abi3.has_arg = arg != NULL;
    to->field.abi3.type = field->type;
    to->field.abi3.is_list = field->is_list;
  }
}

void call_extract(const struct plugin* plugin, void* state, const struct event* event, struct extraction* extraction, bool with_offsets) {
  doing = "extract_fields";
  void* function = plugin->symbols[SYMBOL_extract_fields];
  if (plugin->major < 3) {
    struct flat_event input = flat(event);
    typedef int32_t (*flat_function)(void*, const struct flat_event*, uint32_t, void*);
    extraction->rc = ((flat_function)function)(state, &input, 1, &extraction->field);
    return;
  }
  struct event_input about = input_of(plugin, event);
  struct extract_input input;
  memset(&input, 0xAA, sizeof input); /* members newer than the version required stay so */
  input.owner = (void*)plugin;
  input.owner_error = owner_error;
  input.field_count = 1;
  input.fields = &extraction->field.abi3;
  input.table_name = input.table_size = input.table_entry = (any_function)no_table;
  input.read_entry = (any_function)no_success;
  if (plugin_since(plugin, 3, 1)) input.reader_ext = NULL;
  if (plugin_since(plugin, 3, 11)) input.offsets = with_offsets ? &extraction->offsets : NULL;
  typedef int32_t (*block_function)(void*, const struct event_input*, const struct extract_input*);
  extraction->rc = ((block_function)function)(state, &about, &input);
}
