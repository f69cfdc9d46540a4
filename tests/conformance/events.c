/* One event: every field asked for, its text, and all of it again as from a capture file. */
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "session.h"
#include "values.h"

/* An event as it came, to be read again as from a capture file. */
struct kept_event {
  struct event event;
  uint8_t* bytes; /* the block, or the payload before 3.0 */
  size_t size;
  char* fields;
  size_t fields_length;
};

/* All fields of an event, in an object; the last one's values are read twice, with other calls between. */
static void write_fields(struct session* session, const struct event* event, bool live, struct text* to, struct text* offsets) {
  const struct plugin* plugin = session->plugin;
  struct extraction extraction;
  uint64_t count = 0;
  size_t from = 0;
  const struct request* last = NULL;
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

static void keep_event(struct session* session, const struct event* event, const struct text* fields) {
  struct kept_event kept = {.event = *event};
  kept.size = session->plugin->major < 3 ? event->length : event->block->length;
  kept.bytes = malloc(kept.size + 1);
  memcpy(kept.bytes, session->plugin->major < 3 ? (const void*)event->payload : event->block, kept.size);
  kept.fields = strndup(fields->bytes, fields->length);
  kept.fields_length = fields->length;
  session->kept = realloc(session->kept, (session->kept_count + 1) * sizeof kept);
  session->kept[session->kept_count++] = kept;
}

static void digest(struct session* session, const char* bytes, size_t length) {
  for (size_t i = 0; i < length; i++) session->digest = (session->digest ^ (unsigned char)bytes[i]) * 0x100000001B3;
}

void take_event(struct session* session, const struct event* event) {
  const struct plugin* plugin = session->plugin;
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
    const char* text = call_event_to_string(plugin, session->state, event);
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
void read_again_offline(struct session* session) {
  size_t most = 1;
  for (size_t i = 0; i < session->kept_count; i++) {
    if (session->kept[i].size > most) most = session->kept[i].size;
  }
  uint8_t* place = malloc(most);
  for (size_t i = 0; i < session->kept_count; i++) {
    struct kept_event* kept = &session->kept[i];
    struct event event = kept->event;
    bool is_block = session->plugin->major >= 3;
    memcpy(place, kept->bytes, kept->size);
    event.number = 1;
    event.block = is_block ? (const struct block_event*)place : NULL;
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
