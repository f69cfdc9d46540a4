#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report.h"
#include "values.h"

enum { UNWRITTEN = 0x5AA5AA5A, LONGEST_EVENT = 1 << 28, EOF_REPEATED = 3, FEEDING_PLUGIN = 5 };

double clock_seconds(int clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void text_start(struct text *text) {
  *text = (struct text){0};
  text->out.file = open_memstream(&text->bytes, &text->length);
}

void text_flush(struct text *text) {
  fflush(text->out.file);
}

void text_free(struct text *text) {
  if (text->out.file != NULL) fclose(text->out.file);
  free(text->bytes);
}

/* -- init and open ------------------------------------------------------------------------------------------------------------------ */

static const char *rc_name(int32_t rc) {
  switch (rc) {
    case RC_SUCCESS: return "success";
    case RC_FAILURE: return "failure";
    case RC_TIMEOUT: return "timeout";
    case RC_EOF: return "eof";
    case RC_NOT_SUPPORTED: return "not supported";
    default: return NULL;
  }
}

static void check_rc(const char *function, int32_t rc) {
  if (rc == UNWRITTEN) violation("%s: rc is not written", function);
  else if (rc_name(rc) == NULL) violation("%s: rc %d is none", function, rc);
}

/* The error text is all that the framework can tell its user. */
static void write_outcome(struct session *session, const char *function, int32_t rc) {
  struct json_out *out = &session->head.out;
  json_open(out, function, '{');
  json_text(out, "rc", rc_name(rc) == NULL ? "unknown" : rc_name(rc));
  if (rc != RC_SUCCESS && session->state != NULL) {
    const char *error = call_last_error(session->plugin, session->state);
    if (error == NULL || *error == '\0') violation("%s failed, and get_last_error has %s", function, error == NULL ? "NULL" : "no text");
    json_text(out, "error", error);
  }
  json_close(out, '}');
}

static void set_config(struct session *session) {
  doing = "set_config";
  struct config_input input = {.config = session->options->set_config};
  void *function = session->plugin->symbols[SYMBOL_set_config];
  write_outcome(session, "set_config", ((int32_t(*)(void *, const struct config_input *))function)(session->state, &input));
}

static void list_open_params(struct session *session) {
  int32_t rc = UNWRITTEN;
  const char *text = call_list_open_params(session->plugin, session->state, &rc);
  check_rc("list_open_params", rc);
  if (rc != RC_SUCCESS) {
    violation("list_open_params: no success");
    return;
  }
  struct json *root = text == NULL ? NULL : json_parse(text);
  bool well = root != NULL && root->type == JSON_ARRAY;
  if (!well) violation("list_open_params: no JSON array");
  for (const struct json *entry = well ? root->first : NULL; entry != NULL; entry = entry->next) {
    const char *value = json_string(entry, "value");
    if (value == NULL || *value == '\0') violation("list_open_params: an entry without a value");
  }
  if (well) json_raw(&session->head.out, "open_params", text, strlen(text));
  json_free(root);
}

static void list_event_types(struct session *session) {
  doing = "get_extract_event_types";
  uint32_t count = UNWRITTEN;
  void *function = session->plugin->symbols[SYMBOL_get_extract_event_types];
  const uint16_t *types = ((const uint16_t *(*)(uint32_t *, void *))function)(&count, session->state);
  if (count == UNWRITTEN || (types == NULL && count > 0)) {
    violation("get_extract_event_types: the count is not written, or there are no types");
    return;
  }
  json_open(&session->head.out, "event_types", '[');
  for (uint32_t i = 0; i < count; i++) json_uint(&session->head.out, NULL, types[i]);
  json_close(&session->head.out, ']');
}

void session_init(struct session *session) {
  const struct plugin *plugin = session->plugin;
  text_start(&session->head);
  text_start(&session->list);
  session->digest = 0xCBF29CE484222325; /* FNV-1a */
  int32_t rc = UNWRITTEN;
  /* The text lies in memory that is overwritten after the call: the plugin has to copy what it keeps. */
  char *config = strdup(session->init);
  session->state = call_init(plugin, config, &rc);
  memset(config, 'x', strlen(config));
  free(config);
  check_rc("init", rc);
  if (session->state == NULL) violation("init: the state is NULL%s", rc == RC_SUCCESS ? "" : ", so nobody can ask why it failed");
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

void session_open(struct session *session) {
  if (session->end != NULL || !session->plugin->is_source) return;
  int32_t rc = UNWRITTEN;
  char *params = strdup(session->open);
  session->instance = call_open(session->plugin, session->state, params, &rc);
  memset(params, 'x', strlen(params));
  free(params);
  session->is_open = true; /* close is called after a failure too, with whatever came back */
  check_rc("open", rc);
  if (rc == RC_SUCCESS && session->instance == NULL) violation("open: the instance is NULL");
  write_outcome(session, "open", rc);
  if (rc != RC_SUCCESS) session->end = "open failed";
}

void session_end(struct session *session) {
  if (session->is_open) call_close(session->plugin, session->state, session->instance);
  if (session->state != NULL) call_destroy(session->plugin, session->state);
  session->is_open = false;
  session->state = session->instance = NULL;
}

/* -- events ------------------------------------------------------------------------------------------------------------------------- */

/* An event as it came, to be read again as from a capture file. */
struct kept_event {
  struct event event;
  uint8_t *bytes; /* the block, or the payload before 3.0 */
  size_t size;
  char *fields;
  size_t fields_length;
};

/* All fields of an event, in an object; the last one's values are looked at twice, with other calls between. */
static void write_fields(struct session *session, const struct event *event, bool live, struct text *to, struct text *offsets) {
  const struct plugin *plugin = session->plugin;
  struct extraction extraction;
  uint64_t count = 0;
  size_t from = 0;
  const struct request *last = NULL;
  json_open(&to->out, NULL, '{');
  for (uint32_t i = 0; i < session->request_count; i++) {
    last = &session->requests[i];
    extract_strictly(plugin, session->state, event, last, session->options->offsets, &extraction);
    count = check_extraction(plugin, last, &extraction);
    text_flush(to);
    from = to->length;
    write_values(plugin, last, &extraction, count, &to->out);
    if (offsets != NULL) write_offsets(last, &extraction, count, PAYLOAD_OFFSET + event->length, &offsets->out);
  }
  text_flush(to);
  if (live && count > 0) {
    if (plugin_has(plugin, SYMBOL_event_to_string)) call_event_to_string(plugin, session->state, event);
    struct text again;
    text_start(&again);
    again.out.comma = from > 1;
    write_values(plugin, last, &extraction, count, &again.out);
    text_flush(&again);
    if (again.length != to->length - from || memcmp(again.bytes, to->bytes + from, again.length) != 0) {
      violation("extract_fields: %s: the value changed before the next call", last->label);
    }
    text_free(&again);
  }
  json_close(&to->out, '}');
  text_flush(to);
}

static void keep_event(struct session *session, const struct event *event, const struct text *fields) {
  struct kept_event kept = {.event = *event};
  kept.size = session->plugin->major < 3 ? event->length : event->block->length;
  kept.bytes = malloc(kept.size + 1);
  memcpy(kept.bytes, session->plugin->major < 3 ? (const void *)event->payload : event->block, kept.size);
  kept.fields = strndup(fields->bytes, fields->length);
  kept.fields_length = fields->length;
  session->kept = realloc(session->kept, (session->kept_count + 1) * sizeof kept);
  session->kept[session->kept_count++] = kept;
}

static void digest(struct session *session, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) session->digest = (session->digest ^ (unsigned char)bytes[i]) * 0x100000001B3;
}

static void take_event(struct session *session, const struct event *event) {
  const struct plugin *plugin = session->plugin;
  struct text one, fields, offsets;
  text_start(&one);
  text_start(&fields);
  text_start(&offsets);
  doing_event = event->number;
  json_bytes(&one.out, "payload", event->payload, event->length);
  if (plugin->is_extractor) {
    json_open(&offsets.out, NULL, '{');
    write_fields(session, event, true, &fields, session->options->offsets ? &offsets : NULL);
    json_close(&offsets.out, '}');
    text_flush(&offsets);
    json_raw(&one.out, "fields", fields.bytes, fields.length);
    if (session->options->offsets) json_raw(&one.out, "offsets", offsets.bytes, offsets.length);
    if (session->options->offline) keep_event(session, event, &fields);
  }
  if (plugin_has(plugin, SYMBOL_event_to_string)) {
    const char *text = call_event_to_string(plugin, session->state, event);
    if (text == NULL) violation("event_to_string: NULL");
    json_text(&one.out, "text", text);
  }
  text_flush(&one);
  digest(session, one.bytes, one.length);
  if (session->options->keep == 'a' || (session->options->keep == 'f' && session->cycle == 0 && session->thread == 0)) {
    json_open(&session->list.out, NULL, '{');
    json_uint(&session->list.out, "ts", event->ts);
    json_raw(&session->list.out, NULL, one.bytes, one.length);
    json_close(&session->list.out, '}');
  }
  text_free(&one);
  text_free(&fields);
  text_free(&offsets);
  doing_event = 0;
}

/* As from a capture file: all events at the same place, and each the first of its file. */
static void read_again_offline(struct session *session) {
  size_t most = 1;
  for (size_t i = 0; i < session->kept_count; i++) {
    if (session->kept[i].size > most) most = session->kept[i].size;
  }
  uint8_t *place = malloc(most);
  for (size_t i = 0; i < session->kept_count; i++) {
    struct kept_event *kept = &session->kept[i];
    struct event event = kept->event;
    bool is_block = session->plugin->major >= 3;
    memcpy(place, kept->bytes, kept->size);
    event.number = 1;
    event.block = is_block ? (const struct block_event *)place : NULL;
    event.payload = is_block ? place + (kept->size - event.length) : place;
    struct text fields;
    text_start(&fields);
    doing_event = i + 1;
    write_fields(session, &event, false, &fields, NULL);
    if (fields.length != kept->fields_length || memcmp(fields.bytes, kept->fields, fields.length) != 0) {
      violation("extract_fields: other values when the event is read again from a buffer that another event lay in");
    }
    text_free(&fields);
    free(kept->bytes);
    free(kept->fields);
  }
  doing_event = 0;
  free(place);
  free(session->kept);
}

/* -- batches ------------------------------------------------------------------------------------------------------------------------ */

/* A block as the framework takes it: checked, then written into. False: it would end with an error. */
static bool take_block(struct session *session, struct block_plugin_event *block, struct event *event) {
  const struct plugin *plugin = session->plugin;
  if (block == NULL) {
    violation("next_batch: NULL among the events");
    return false;
  }
  struct block_event *header = &block->header;
  if (plugin->id == 0 && header->type != EVENT_TYPE_PLUGIN) {
    violation("next_batch: an event of type %u; this host knows the type of plugins alone", header->type);
    return false;
  }
  if (header->type != EVENT_TYPE_PLUGIN || header->parameters != 2) {
    violation("next_batch: type %u with %u parameters, not 322 with 2", header->type, header->parameters);
    return false;
  }
  if (block->id_length != 4 || header->length > LONGEST_EVENT || header->length != (uint64_t)PAYLOAD_OFFSET + block->payload_length) {
    violation("next_batch: lengths that do not add up: event %u, id %u, payload %u", header->length, block->id_length,
              block->payload_length);
    return false;
  }
  if (block->plugin_id != 0 && block->plugin_id != plugin->id) {
    violation("next_batch: plugin id %u in an event of plugin %u", block->plugin_id, plugin->id);
    return false;
  }
  doing = "what next_batch returned: the framework writes into events";
  if (block->plugin_id == 0) block->plugin_id = plugin->id;
  header->tid = UINT64_MAX;
  if (header->ts == UINT64_MAX) header->ts = now_ns();
  *event = (struct event){.ts = header->ts, .payload = block->payload, .length = block->payload_length, .block = header};
  return true;
}

/* Before 3.0 the framework copies an event into memory of its own, here of just its size. */
static bool take_flat(const struct flat_event *flat, struct event *event) {
  if ((flat->data == NULL && flat->length > 0) || flat->length > LONGEST_EVENT) {
    violation("next_batch: an event with NULL data, or of %u bytes", flat->length);
    return false;
  }
  uint8_t *copy = malloc(flat->length > 0 ? flat->length : 1);
  if (flat->length > 0) memcpy(copy, flat->data, flat->length);
  *event = (struct event){.ts = flat->ts == UINT64_MAX ? now_ns() : flat->ts, .payload = copy, .length = flat->length};
  return true;
}

struct batch {
  struct event *events;
  uint8_t **copies; /* of the plugin's own memory */
  uint32_t count;
};

static const void *plugins_memory(const struct session *session, void *events, uint32_t i, size_t *size) {
  if (session->plugin->major >= 3) {
    const struct block_event *block = ((struct block_event **)events)[i];
    *size = block->length;
    return block;
  }
  const struct flat_event *flat = &((struct flat_event *)events)[i];
  *size = flat->length;
  return flat->data;
}

/* False: the framework would take some of it and then end with an error. */
static bool take_batch(struct session *session, void *events, uint32_t count, struct batch *batch) {
  batch->events = calloc(count, sizeof *batch->events);
  batch->copies = calloc(count, sizeof *batch->copies);
  for (batch->count = 0; batch->count < count; batch->count++) {
    uint32_t i = batch->count;
    doing = "what next_batch returned";
    bool well = session->plugin->major >= 3 ? take_block(session, ((struct block_plugin_event **)events)[i], &batch->events[i])
                                            : take_flat(&((struct flat_event *)events)[i], &batch->events[i]);
    if (!well) return false;
    size_t size;
    const void *memory = plugins_memory(session, events, i, &size);
    batch->copies[i] = malloc(size + 1);
    if (size > 0) memcpy(batch->copies[i], memory, size);
  }
  return true;
}

static void drop_batch(struct session *session, void *events, struct batch *batch) {
  for (uint32_t i = 0; i < batch->count; i++) {
    size_t size;
    const void *memory = plugins_memory(session, events, i, &size);
    if (size > 0 && memcmp(memory, batch->copies[i], size) != 0) violation("next_batch: an event changed before the next call");
    free(batch->copies[i]);
    if (session->plugin->major < 3) free((void *)batch->events[i].payload);
  }
  free(batch->events);
  free(batch->copies);
}

static void check_progress(struct session *session, bool write) {
  uint32_t progress = UNWRITTEN;
  const char *text = call_get_progress(session->plugin, session->state, session->instance, &progress);
  if (progress > 10000) violation("get_progress: %s", progress == (uint32_t)UNWRITTEN ? "not written" : "above 10000");
  if (text == NULL) violation("get_progress: NULL");
  if (!write) return;
  json_open(&session->head.out, "progress", '{');
  json_uint(&session->head.out, "of_10000", progress);
  json_text(&session->head.out, "text", text);
  json_close(&session->head.out, '}');
}

static bool next_batch(struct session *session, int32_t *rc) {
  uint32_t count = UNWRITTEN;
  void *events = (void *)0xAAAAAAAAAAAAAAAA;
  double start = clock_seconds(CLOCK_MONOTONIC);
  *rc = call_next_batch(session->plugin, session->state, session->instance, &count, &events);
  double took_ms = (clock_seconds(CLOCK_MONOTONIC) - start) * 1000;
  if (took_ms > session->slowest_ms) session->slowest_ms = took_ms;
  if (took_ms > session->options->slow_ms) violation("next_batch: took more than %.0f ms", session->options->slow_ms);
  session->batches++;
  session->timeouts += *rc == RC_TIMEOUT;
  if (rc_name(*rc) == NULL) {
    violation("next_batch: it returned %d", *rc);
    return false;
  }
  if (count == UNWRITTEN) {
    violation("next_batch: nevts is not written (with %s)", rc_name(*rc));
    return false;
  }
  if (count == 0) {
    if (*rc == RC_SUCCESS) violation("next_batch: SUCCESS with 0 events");
    return *rc != RC_SUCCESS;
  }
  if (events == NULL || events == (void *)0xAAAAAAAAAAAAAAAA) {
    violation("next_batch: %u events, but the pointer to them is %s", count, events == NULL ? "NULL" : "not written");
    return false;
  }
  struct batch batch;
  bool well = take_batch(session, events, count, &batch);
  for (uint32_t i = 0; i < batch.count && (session->options->events == 0 || session->events < session->options->events); i++) {
    batch.events[i].number = ++session->events;
    take_event(session, &batch.events[i]);
  }
  if (plugin_has(session->plugin, SYMBOL_get_progress)) check_progress(session, false);
  drop_batch(session, events, &batch);
  return well;
}

static void check_end_stays(struct session *session) {
  for (int i = 0; i < EOF_REPEATED; i++) {
    uint32_t count = UNWRITTEN;
    void *events = NULL;
    int32_t rc = call_next_batch(session->plugin, session->state, session->instance, &count, &events);
    if (rc != RC_EOF || count != 0) violation("next_batch: after EOF, another call is no EOF without events");
  }
}

static void write_metrics(struct session *session) {
  doing = "get_metrics";
  uint32_t count = UNWRITTEN;
  void *function = session->plugin->symbols[SYMBOL_get_metrics];
  const struct metric *metrics = ((const struct metric *(*)(void *, uint32_t *))function)(session->state, &count);
  if (count == UNWRITTEN || (metrics == NULL && count > 0)) {
    violation("get_metrics: the count is not written, or there are no metrics");
    return;
  }
  struct json_out *out = &session->head.out;
  json_open(out, "metrics", '{');
  for (uint32_t i = 0; i < count; i++) {
    const struct metric *metric = &metrics[i];
    const char *name = metric->name == NULL ? "" : metric->name;
    if (*name == '\0') violation("get_metrics: a metric without a name");
    if (metric->kind < 0 || metric->kind > 1) violation("get_metrics: %s: kind %d", name, metric->kind);
    switch (metric->type) {
      case 0: json_uint(out, name, metric->value.u32); break;
      case 1:
      case 6: json_int(out, name, metric->value.s32); break;
      case 2: json_uint(out, name, metric->value.u64); break;
      case 3: json_int(out, name, metric->value.s64); break;
      case 4: json_double(out, name, metric->value.f64); break;
      case 5: json_double(out, name, (double)metric->value.f32); break;
      default: violation("get_metrics: %s: type %d", name, metric->type);
    }
  }
  json_close(out, '}');
}

/* For a plugin that only extracts: the lines of a file, as another plugin's events. */
static void feed(struct session *session) {
  FILE *file = fopen(session->options->feed, "r");
  if (file == NULL) {
    violation("feed: %s cannot be read", session->options->feed);
    return;
  }
  char *line = NULL;
  size_t room = 0;
  for (ssize_t length; (length = getline(&line, &room, file)) >= 0;) {
    if (length > 0 && line[length - 1] == '\n') length--;
    struct block_plugin_event *block = malloc(sizeof *block + (size_t)length);
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

void session_pump(struct session *session) {
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
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1) pages = 0;
  if (file != NULL) fclose(file);
  return (int64_t)pages * sysconf(_SC_PAGESIZE) / 1024;
}

void session_write(struct session *session, struct json_out *out, bool with_events) {
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

void session_free(struct session *session) {
  text_free(&session->head);
  text_free(&session->list);
}
