/* Results of next_batch: taken as the framework takes them, and kept until the next call. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report.h"
#include "session.h"

enum { LONGEST_EVENT = 1 << 28, EOF_REPEATED = 3 };

/* A block as the framework takes it: checked, then written into. False: it would end with an error. */
static bool take_block(struct session* session, struct block_plugin_event* block, struct event* event) {
  const struct plugin* plugin = session->plugin;
  if (block == NULL) {
    violation("next_batch: NULL among the events");
    return false;
  }
  struct block_event* header = &block->header;
  if (plugin->id == 0 && header->type != EVENT_TYPE_PLUGIN) {
    violation("next_batch: an event of type %u; this host only knows the type of plugins", header->type);
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

/* Before 3.0 the framework copies an event into separate memory, here of just its size. */
static bool take_flat(const struct flat_event* flat, struct event* event) {
  if ((flat->data == NULL && flat->length > 0) || flat->length > LONGEST_EVENT) {
    violation("next_batch: an event with NULL data, or of %u bytes", flat->length);
    return false;
  }
  uint8_t* copy = malloc(flat->length > 0 ? flat->length : 1);
  if (flat->length > 0) memcpy(copy, flat->data, flat->length);
  *event = (struct event){.ts = flat->ts == UINT64_MAX ? now_ns() : flat->ts, .payload = copy, .length = flat->length};
  return true;
}

struct batch {
  struct event* events;
  uint8_t** copies; /* of the plugin's own memory */
  uint32_t count;
};

static const void* plugins_memory(const struct session* session, void* events, uint32_t i, size_t* size) {
  if (session->plugin->major >= 3) {
    const struct block_event* block = ((struct block_event**)events)[i];
    *size = block->length;
    return block;
  }
  const struct flat_event* flat = &((struct flat_event*)events)[i];
  *size = flat->length;
  return flat->data;
}

/* False: the framework would take some of it and then end with an error. */
static bool take_batch(struct session* session, void* events, uint32_t count, struct batch* batch) {
  batch->events = calloc(count, sizeof *batch->events);
  batch->copies = calloc(count, sizeof *batch->copies);
  for (batch->count = 0; batch->count < count; batch->count++) {
    uint32_t i = batch->count;
    doing = "what next_batch returned";
    bool well = session->plugin->major >= 3 ? take_block(session, ((struct block_plugin_event**)events)[i], &batch->events[i])
                                            : take_flat(&((struct flat_event*)events)[i], &batch->events[i]);
    if (!well) return false;
    size_t size;
    const void* memory = plugins_memory(session, events, i, &size);
    batch->copies[i] = malloc(size + 1);
    if (size > 0) memcpy(batch->copies[i], memory, size);
  }
  return true;
}

static void drop_batch(struct session* session, void* events, struct batch* batch) {
  for (uint32_t i = 0; i < batch->count; i++) {
    size_t size;
    const void* memory = plugins_memory(session, events, i, &size);
    if (size > 0 && memcmp(memory, batch->copies[i], size) != 0) violation("next_batch: an event changed before the next call");
    free(batch->copies[i]);
    if (session->plugin->major < 3) free((void*)batch->events[i].payload);
  }
  free(batch->events);
  free(batch->copies);
}

void check_progress(struct session* session, bool write) {
  uint32_t progress = UNWRITTEN;
  const char* text = call_get_progress(session->plugin, session->state, session->instance, &progress);
  if (progress > 10000) violation("get_progress: %s", progress == (uint32_t)UNWRITTEN ? "not written" : "above 10000");
  if (text == NULL) violation("get_progress: NULL");
  if (!write) return;
  json_open(&session->head.out, "progress", '{');
  json_uint(&session->head.out, "of_10000", progress);
  json_text(&session->head.out, "text", text);
  json_close(&session->head.out, '}');
}

bool next_batch(struct session* session, int32_t* rc) {
  uint32_t count = UNWRITTEN;
  void* events = (void*)0xAAAAAAAAAAAAAAAA;
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
  if (events == NULL || events == (void*)0xAAAAAAAAAAAAAAAA) {
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

void check_end_stays(struct session* session) {
  for (int i = 0; i < EOF_REPEATED; i++) {
    uint32_t count = UNWRITTEN;
    void* events = NULL;
    int32_t rc = call_next_batch(session->plugin, session->state, session->instance, &count, &events);
    if (rc != RC_EOF || count != 0) violation("next_batch: after EOF, another call is not EOF without events");
  }
}
