#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report.h"
#include "schema.h"

enum { FEEDING_PLUGIN = 5 };

double clock_seconds(int clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void text_start(struct text* text) {
  *text = (struct text){0};
  text->out.file = open_memstream(&text->bytes, &text->length);
}

void text_flush(struct text* text) { fflush(text->out.file); }

void text_free(struct text* text) {
  if (text->out.file != NULL) fclose(text->out.file);
  free(text->bytes);
}

/* -- init and open ------------------------------------------------------------------------------------------------------------------ */

const char* rc_name(int32_t rc) {
  switch (rc) {
    case RC_SUCCESS:
      return "success";
    case RC_FAILURE:
      return "failure";
    case RC_TIMEOUT:
      return "timeout";
    case RC_EOF:
      return "eof";
    case RC_NOT_SUPPORTED:
      return "not supported";
    default:
      return NULL;
  }
}

static void check_rc(const char* function, int32_t rc) {
  if (rc == UNWRITTEN) violation("%s: rc is not written", function);
  else if (rc_name(rc) == NULL) violation("%s: rc %d is none", function, rc);
}

/* The error text is all that the framework can tell its user. */
static void write_outcome(struct session* session, const char* function, int32_t rc) {
  struct json_out* out = &session->head.out;
  json_open(out, function, '{');
  json_text(out, "rc", rc_name(rc) == NULL ? "unknown" : rc_name(rc));
  if (rc != RC_SUCCESS && session->state != NULL) {
    const char* error = call_last_error(session->plugin, session->state);
    if (error == NULL || *error == '\0') violation("%s failed, and get_last_error has %s", function, error == NULL ? "NULL" : "no text");
    json_text(out, "error", error);
  }
  json_close(out, '}');
}

static void set_config(struct session* session) {
  doing = "set_config";
  struct config_input input = {.config = session->options->set_config};
  void* function = session->plugin->symbols[SYMBOL_set_config];
  write_outcome(session, "set_config", ((int32_t (*)(void*, const struct config_input*))function)(session->state, &input));
}

static void list_open_params(struct session* session) {
  int32_t rc = UNWRITTEN;
  const char* text = call_list_open_params(session->plugin, session->state, &rc);
  check_rc("list_open_params", rc);
  if (rc != RC_SUCCESS) {
    violation("list_open_params: no success");
    return;
  }
  struct json* root = text == NULL ? NULL : json_parse(text);
  bool well = root != NULL && root->type == JSON_ARRAY;
  if (!well) violation("list_open_params: no JSON array");
  for (const struct json* entry = well ? root->first : NULL; entry != NULL; entry = entry->next) {
    const char* value = json_string(entry, "value");
    if (value == NULL || *value == '\0') violation("list_open_params: an entry without a value");
  }
  if (well) json_raw(&session->head.out, "open_params", text, strlen(text));
  json_free(root);
}

static void list_event_types(struct session* session) {
  doing = "get_extract_event_types";
  uint32_t count = UNWRITTEN;
  void* function = session->plugin->symbols[SYMBOL_get_extract_event_types];
  const uint16_t* types = ((const uint16_t* (*)(uint32_t*, void*))function)(&count, session->state);
  if (count == UNWRITTEN || (types == NULL && count > 0)) {
    violation("get_extract_event_types: the count is not written, or there are no types");
    return;
  }
  json_open(&session->head.out, "event_types", '[');
  for (uint32_t i = 0; i < count; i++) json_uint(&session->head.out, NULL, types[i]);
  json_close(&session->head.out, ']');
}

/* Falco asks the schema first: what that refuses the plugin never sees. */
static bool schema_takes(struct session* session) {
  char error[1024];
  const struct plugin* plugin = session->plugin;
  if (plugin->schema == NULL || session->options->no_schema) return true;
  if (schema_validate(plugin->schema, *session->init == '\0' ? "{}" : session->init, error, sizeof error)) return true;
  struct json_out* out = &session->head.out;
  json_open(out, "init", '{');
  json_text(out, "rc", "refused by the schema");
  json_text(out, "error", error);
  json_close(out, '}');
  session->end = "init failed";
  return false;
}

void session_init(struct session* session) {
  const struct plugin* plugin = session->plugin;
  text_start(&session->head);
  text_start(&session->list);
  session->digest = 0xCBF29CE484222325; /* FNV-1a */
  if (!schema_takes(session)) return;
  int32_t rc = UNWRITTEN;
  /* The text lies in memory that is overwritten after the call: the plugin has to copy what it keeps. */
  char* config = strdup(session->init);
  session->state = call_init(plugin, config, &rc);
  memset(config, 'x', strlen(config));
  free(config);
  check_rc("init", rc);
  if (session->state == NULL) violation("init: the state is NULL%s", rc == RC_SUCCESS ? "" : ", so its error cannot be queried");
  write_outcome(session, "init", rc);
  if (rc != RC_SUCCESS || session->state == NULL) {
    session->end = "init failed";
    return;
  }
  if (session->options->set_config != NULL && plugin_has(plugin, SYMBOL_set_config)) set_config(session);
  if (session->cycle > 0 || session->thread > 0) return;
  if (plugin->major >= 3 && plugin_has(plugin, SYMBOL_get_extract_event_types)) list_event_types(session);
  if (plugin_has(plugin, SYMBOL_list_open_params)) list_open_params(session);
}

void session_open(struct session* session) {
  if (session->end != NULL || !session->plugin->is_source) return;
  int32_t rc = UNWRITTEN;
  char* params = strdup(session->open);
  session->instance = call_open(session->plugin, session->state, params, &rc);
  memset(params, 'x', strlen(params));
  free(params);
  session->is_open = true; /* close is called after a failure too, with the returned instance */
  check_rc("open", rc);
  if (rc == RC_SUCCESS && session->instance == NULL) violation("open: the instance is NULL");
  write_outcome(session, "open", rc);
  if (rc != RC_SUCCESS) session->end = "open failed";
}

void session_end(struct session* session) {
  if (session->is_open) call_close(session->plugin, session->state, session->instance);
  if (session->state != NULL) call_destroy(session->plugin, session->state);
  session->is_open = false;
  session->state = session->instance = NULL;
}

/* -- events ------------------------------------------------------------------------------------------------------------------------- */

static void write_metrics(struct session* session) {
  doing = "get_metrics";
  uint32_t count = UNWRITTEN;
  void* function = session->plugin->symbols[SYMBOL_get_metrics];
  const struct metric* metrics = ((const struct metric* (*)(void*, uint32_t*))function)(session->state, &count);
  if (count == UNWRITTEN || (metrics == NULL && count > 0)) {
    violation("get_metrics: the count is not written, or there are no metrics");
    return;
  }
  struct json_out* out = &session->head.out;
  json_open(out, "metrics", '{');
  for (uint32_t i = 0; i < count; i++) {
    const struct metric* metric = &metrics[i];
    const char* name = metric->name == NULL ? "" : metric->name;
    if (*name == '\0') violation("get_metrics: a metric without a name");
    if (metric->kind < 0 || metric->kind > 1) violation("get_metrics: %s: kind %d", name, metric->kind);
    switch (metric->type) {
      case 0:
        json_uint(out, name, metric->value.u32);
        break;
      case 1:
      case 6:
        json_int(out, name, metric->value.s32);
        break;
      case 2:
        json_uint(out, name, metric->value.u64);
        break;
      case 3:
        json_int(out, name, metric->value.s64);
        break;
      case 4:
        json_double(out, name, metric->value.f64);
        break;
      case 5:
        json_double(out, name, (double)metric->value.f32);
        break;
      default:
        violation("get_metrics: %s: type %d", name, metric->type);
    }
  }
  json_close(out, '}');
}

/* For a plugin that only extracts: the lines of a file, as another plugin's events. */
static void feed(struct session* session) {
  FILE* file = fopen(session->options->feed, "r");
  if (file == NULL) {
    violation("feed: %s cannot be read", session->options->feed);
    return;
  }
  char* line = NULL;
  size_t room = 0;
  for (ssize_t length; (length = getline(&line, &room, file)) >= 0;) {
    if (length > 0 && line[length - 1] == '\n') length--;
    struct block_plugin_event* block = malloc(sizeof *block + (size_t)length);
    block->header = (struct block_event){now_ns(), UINT64_MAX, (uint32_t)(PAYLOAD_OFFSET + length), EVENT_TYPE_PLUGIN, 2};
    block->id_length = 4;
    block->payload_length = (uint32_t)length;
    block->plugin_id = FEEDING_PLUGIN;
    memcpy(block->payload, line, (size_t)length);
    struct event event = {.number = ++session->events, .ts = block->header.ts, .payload = block->payload, .length = (uint32_t)length};
    if (session->plugin->major >= 3) event.block = &block->header;
    take_event(session, &event);
    free(block);
  }
  free(line);
  fclose(file);
  session->end = "eof";
}

void session_pump(struct session* session) {
  if (session->end == NULL && session->options->feed != NULL && !session->plugin->is_source) feed(session);
  if (session->options->offline && session->kept != NULL && !session->plugin->is_source) read_again_offline(session);
  if (session->end != NULL || !session->plugin->is_source) return;
  double until = clock_seconds(CLOCK_MONOTONIC) + session->options->seconds;
  while (session->end == NULL) {
    int32_t rc;
    if (!next_batch(session, &rc)) session->end = "refused";
    else if (session->options->events > 0 && session->events >= session->options->events) session->end = "events";
    else if (rc == RC_EOF) session->end = "eof";
    else if (rc != RC_SUCCESS && rc != RC_TIMEOUT) session->end = "failure";
    else if (clock_seconds(CLOCK_MONOTONIC) > until) session->end = "seconds";
  }
  if (strcmp(session->end, "eof") == 0) check_end_stays(session);
  if (strcmp(session->end, "failure") == 0) write_outcome(session, "next_batch", RC_FAILURE);
  if (plugin_has(session->plugin, SYMBOL_get_progress)) check_progress(session, true);
  if (session->options->offline && session->plugin->is_extractor) read_again_offline(session);
  if (plugin_since(session->plugin, 3, 5) && plugin_has(session->plugin, SYMBOL_get_metrics)) write_metrics(session);
}

/* -- report ------------------------------------------------------------------------------------------------------------------------- */

static int64_t resident_kb(void) {
  long pages = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1) pages = 0;
  if (file != NULL) fclose(file);
  return (int64_t)pages * sysconf(_SC_PAGESIZE) / 1024;
}

void session_write(struct session* session, struct json_out* out, bool with_events) {
  text_flush(&session->head);
  json_open(out, NULL, '{');
  json_uint(out, "plugin", session->index);
  json_uint(out, "cycle", session->cycle);
  json_uint(out, "thread", session->thread);
  json_raw(out, NULL, session->head.bytes, session->head.length);
  json_text(out, "end", session->end);
  json_uint(out, "count", session->events);
  json_uint(out, "batches", session->batches);
  json_uint(out, "timeouts", session->timeouts);
  json_double(out, "slowest_batch_ms", session->slowest_ms);
  char digest_text[20];
  snprintf(digest_text, sizeof digest_text, "%016llx", (unsigned long long)session->digest);
  json_text(out, "digest", digest_text);
  json_int(out, "rss_kb", resident_kb());
  if (with_events) {
    text_flush(&session->list);
    json_open(out, "events", '[');
    if (session->list.length > 0) json_raw(out, NULL, session->list.bytes, session->list.length);
    json_close(out, ']');
  }
  json_close(out, '}');
}

void session_free(struct session* session) {
  text_free(&session->head);
  text_free(&session->list);
}
