/* The plugin that a host opens: the plugin API's symbols, answered from the bundle after this file's own code, or by the bridge.
 *
 * It has no thread, no thread-local destructor and no exit handler, so that a host may unload it, and needs only
 * libc. `lanner build` copies it, appends the bundle, and hides the symbols of capabilities that the plugin lacks. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "loader/bound_python.h"
#include "loader/bundle.h"
#include "loader/plugin_api.h"

#define EXPORT __attribute__((visibility("default")))

struct state {
  lanner_state* inner; /* NULL if init failed: `error` has the reason */
  bool has_offsets;    /* the plugin asked for an API that has them */
  char error[4096 + 512];
};

static _Atomic(const struct lanner_bridge*) the_bridge;

__attribute__((destructor)) static void unloaded(void) { bundle_free(); }

/* Functions without Python */

EXPORT const char* plugin_get_required_api_version(void) { return bundle_text("api"); }
EXPORT const char* plugin_get_name(void) { return bundle_text("name"); }
EXPORT const char* plugin_get_description(void) { return bundle_text("description"); }
EXPORT const char* plugin_get_contact(void) { return bundle_text("contact"); }
EXPORT const char* plugin_get_version(void) { return bundle_text("version"); }
EXPORT const char* plugin_get_event_source(void) { return bundle_text("event_source"); }
EXPORT const char* plugin_get_fields(void) { return bundle_text("fields"); }

/* The loader never calls its own exported functions: `lanner build` hides those of missing capabilities, and a call would go to 0. */
static uint32_t id(void) { return (uint32_t)strtoul(bundle_text("id"), NULL, 10); }
EXPORT uint32_t plugin_get_id(void) { return id(); }

EXPORT const char* plugin_get_init_schema(int* schema_type) {
  const char* schema = bundle_text("init_schema");
  *schema_type = *schema ? 1 : 0;
  return *schema ? schema : NULL;
}

#if LANNER_API == 0
EXPORT uint32_t plugin_get_type(void) { return id() ? 1 : 2; }
#endif

/* In 0.3 a source extracts only from its own events, and an extractor names its sources with the same function. */
EXPORT const char* plugin_get_extract_event_sources(void) {
  const char* sources = bundle_text("extract_sources");
  return *sources ? sources : NULL;
}

#if LANNER_API == 3
/* Fields are read from the payload of plugin events. Without this list a plugin that reads the source "syscall" also receives the events
 * of the kernel. Falco 0.42 and later then compare the schema of these events with that of the driver before they start. */
EXPORT const uint16_t* plugin_get_extract_event_types(uint32_t* count, struct state* state) {
  static const uint16_t types[] = {EVENT_TYPE_PLUGIN};
  (void)state; /* NULL before init; hosts before API 3.1 pass none */
  *count = sizeof types / sizeof *types;
  return types;
}
#endif

/* Life cycle */

static struct state* start(const char* config, void* owner, lanner_log log, int32_t* rc) {
  *rc = LANNER_FAILURE;
  struct state* state = calloc(1, sizeof *state);
  if (!state) return NULL;
  const struct lanner_bridge* bridge = atomic_load(&the_bridge);
  if (!bridge) {
    bridge = python_start(state->error, sizeof state->error);
    if (!bridge) {
      fprintf(stderr, "%s\n", state->error);
      return state;
    }
    atomic_store(&the_bridge, bridge);
  }
  const struct bundle* bundle = bundle_get();
  const struct lanner_init_request request = {
      .plugin = bundle_text("plugin"),
      .hash = bundle_text("hash"),
      .path = bundle->path,
      .archive = {bundle->archive, bundle_number("modules")},
      .config = config ? config : "",
      .options = bundle_text("options"),
      .api = LANNER_API,
      .id = id(),
      .owner = owner,
      .log = log,
  };
  state->has_offsets = *bundle_text("value_offsets") != 0;
  state->inner = bridge->init(&request, state->error, sizeof state->error);
  if (state->inner) *rc = LANNER_SUCCESS;
  return state;
}

#if LANNER_API == 3
EXPORT struct state* plugin_init(const struct host_init* input, int32_t* rc) {
  return start(input->config, input->owner, *bundle_text("host_logging") ? input->log : NULL, rc);
}
#else
EXPORT struct state* plugin_init(const char* config, int32_t* rc) { return start(config, NULL, NULL, rc); }
#endif

EXPORT void plugin_destroy(struct state* state) {
  if (!state) return;
  if (state->inner) atomic_load(&the_bridge)->destroy(state->inner);
  free(state);
}

EXPORT const char* plugin_get_last_error(struct state* state) {
  if (!state) return "";
  return state->inner ? atomic_load(&the_bridge)->last_error(state->inner) : state->error;
}

/* Sourcing */

EXPORT lanner_instance* plugin_open(struct state* state, const char* params, int32_t* rc) {
  lanner_instance* instance = state->inner ? atomic_load(&the_bridge)->open(state->inner, params ? params : "") : NULL;
  *rc = instance ? LANNER_SUCCESS : LANNER_FAILURE;
  return instance;
}

EXPORT void plugin_close(struct state* state, lanner_instance* instance) {
  (void)state;
  if (instance) atomic_load(&the_bridge)->close(instance);
}

EXPORT int32_t plugin_next_batch(struct state* state, lanner_instance* instance, uint32_t* count, void** events) {
  (void)state;
  return atomic_load_explicit(&the_bridge, memory_order_relaxed)->next_batch(instance, count, events);
}

EXPORT const char* plugin_get_progress(struct state* state, lanner_instance* instance, uint32_t* progress) {
  (void)state;
  const char* text = "";
  *progress = (uint32_t)(atomic_load(&the_bridge)->progress(instance, &text) * 10000);
  return text;
}

EXPORT const char* plugin_list_open_params(struct state* state, int32_t* rc) {
  const char* params = state->inner ? atomic_load(&the_bridge)->list_open_params(state->inner) : NULL;
  *rc = params ? LANNER_SUCCESS : LANNER_FAILURE;
  return params;
}

#if LANNER_API == 0
EXPORT const char* plugin_event_to_string(struct state* state, const uint8_t* data, uint32_t size) {
  const struct lanner_event event = {.payload = data, .size = size};
#elif LANNER_API == 2
EXPORT const char* plugin_event_to_string(struct state* state, const host_event* input) {
  struct lanner_event event;
  event_from_host(input, &event);
#else
EXPORT const char* plugin_event_to_string(struct state* state, const struct host_event* input) {
  struct lanner_event event;
  if (!event_from_host(input, &event)) return "";
#endif
  return atomic_load(&the_bridge)->event_to_string(state->inner, &event);
}

/* Extraction */

enum { AT_ONCE = 16 };

/* Most hosts request one field per call. */
static inline int32_t extract_one(struct state* state, const struct lanner_event* event, struct host_field* field, bool offsets,
                                  struct lanner_result* result) {
  struct lanner_request request;
  request_from_host(field, &request);
  const bool ok = atomic_load_explicit(&the_bridge, memory_order_relaxed)->extract(state->inner, event, &request, 1, offsets, result);
  result_to_host(result, field);
  return ok ? LANNER_SUCCESS : LANNER_FAILURE;
}

/* Pointers that must be valid until the next call stay valid for all fields of one. */
static __attribute__((noinline)) int32_t extract_several(struct state* state, const struct lanner_event* event, uint32_t count,
                                                         struct host_field* fields) {
  struct lanner_request requests[AT_ONCE];
  struct lanner_result results[AT_ONCE];
  requests[0] = (struct lanner_request){0};
  if (count > AT_ONCE) {
    const struct lanner_result none = {0};
    for (uint32_t place = 0; place < count; ++place) result_to_host(&none, &fields[place]);
    return LANNER_FAILURE;
  }
  for (uint32_t place = 0; place < count; ++place) request_from_host(&fields[place], &requests[place]);
  const struct lanner_bridge* bridge = atomic_load_explicit(&the_bridge, memory_order_relaxed);
  const bool ok = bridge->extract(state->inner, event, requests, count, false, results);
  for (uint32_t place = 0; place < count; ++place) result_to_host(&results[place], &fields[place]);
  return ok ? LANNER_SUCCESS : LANNER_FAILURE;
}

#if LANNER_API == 3
EXPORT int32_t plugin_extract_fields(struct state* state, const struct host_event* input, const struct host_extraction* extraction) {
  struct lanner_event event;
  if (!event_from_host(input, &event)) {
    for (uint32_t place = 0; place < extraction->count; ++place) extraction->fields[place].count = 0;
    return LANNER_SUCCESS;
  }
  if (extraction->count != 1) return extract_several(state, &event, extraction->count, extraction->fields);
  struct lanner_result result;
  struct host_offsets* offsets = state->has_offsets ? extraction->offsets : NULL;
  const int32_t rc = extract_one(state, &event, extraction->fields, offsets != NULL, &result);
  if (offsets) *offsets = (struct host_offsets){result.starts, result.sizes};
  return rc;
}
#else
EXPORT int32_t plugin_extract_fields(struct state* state, const host_event* input, uint32_t count, struct host_field* fields) {
  struct lanner_event event;
  struct lanner_result result;
  event_from_host(input, &event);
  return count == 1 ? extract_one(state, &event, fields, false, &result) : extract_several(state, &event, count, fields);
}
#endif
