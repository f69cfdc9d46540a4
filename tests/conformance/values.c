#include "values.h"

#include <arpa/inet.h>
#include <string.h>

#include "report.h"

static const void* const garbage = (const void*)0xAAAAAAAAAAAAAAAA;
static const uint64_t garbage_count = 0xAAAAAAAAAAAAAAAA;

/* Whether the plugin left alone what is its input. */
static bool inputs_kept(const struct plugin* plugin, const struct extraction* before, const struct extraction* after) {
  size_t from = plugin->major == 0 ? 0 : offsetof(struct abi3_field, id);
  size_t to = plugin->major == 0 ? offsetof(struct abi03_field, present) : sizeof(struct abi3_field);
  return memcmp((const char*)&before->field + from, (const char*)&after->field + from, to - from) == 0;
}

void extract_strictly(const struct plugin* plugin, void* state, const struct event* event, const struct request* request, bool with_offsets,
                      struct extraction* extraction) {
  char name[256], arg[1024];
  snprintf(name, sizeof name, "%s", request->field->name);
  snprintf(arg, sizeof arg, "%s", request->arg == NULL ? "" : request->arg);
  prepare_extraction(plugin, request, name, request->arg == NULL ? NULL : arg, extraction);
  struct extraction before = *extraction;
  call_extract(plugin, state, event, extraction, with_offsets);
  if (!inputs_kept(plugin, &before, extraction)) violation("extract_fields: %s: what is input was changed", request->label);
  memset(name, 'x', sizeof name);
  memset(arg, 'x', sizeof arg);
}

static bool readable(const void* pointer) { return pointer != NULL && pointer != garbage; }

static uint64_t check_abi03(const struct request* request, const struct abi03_field* field) {
  if (field->present > 1) {
    violation("extract_fields: %s: field_present is not written", request->label);
    return 0;
  }
  if (field->present == 1 && field->type == TYPE_STRING && !readable(field->text)) {
    violation("extract_fields: %s: %s in res_str", request->label, field->text == NULL ? "NULL" : "nothing");
    return 0;
  }
  return field->present;
}

static bool check_value(const struct request* request, union field_values values, uint64_t i) {
  switch (request->field->type) {
    case TYPE_STRING:
      if (readable(values.text[i])) return true;
      violation("extract_fields: %s: NULL string in res", request->label);
      return false;
    case TYPE_BOOL:
      if (values.truth[i] <= 1) return true;
      violation("extract_fields: %s: a bool of %u: it takes 4 bytes, 0 or 1", request->label, values.truth[i]);
      return true;
    case TYPE_IPADDR:
    case TYPE_IPNET:
      if (values.bytes[i].length != 4 && values.bytes[i].length != 16) {
        violation("extract_fields: %s: an address of %u bytes", request->label, values.bytes[i].length);
        return false;
      }
      if (readable(values.bytes[i].start)) return true;
      violation("extract_fields: %s: NULL address in res", request->label);
      return false;
    default:
      return true;
  }
}

uint64_t check_extraction(const struct plugin* plugin, const struct request* request, const struct extraction* extraction) {
  if (extraction->rc != RC_SUCCESS && extraction->rc != RC_FAILURE) {
    violation("extract_fields: %s: it returned %d", request->label, extraction->rc);
  }
  if (plugin->major == 0) return check_abi03(request, &extraction->field.abi03) * (extraction->rc == RC_SUCCESS);
  const struct abi3_field* field = &extraction->field.abi3; /* values and count lie at the same place in 1.0 */
  if (field->count == garbage_count) {
    violation("extract_fields: %s: res_len is not written%s", request->label, extraction->rc == RC_SUCCESS ? "" : " (with FAILURE)");
    return 0;
  }
  if (extraction->rc != RC_SUCCESS || field->count == 0) return 0;
  if (field->count > 1 && !request->field->is_list) {
    violation("extract_fields: %s: %llu values, but it is not a list", request->label, (unsigned long long)field->count);
    return 0;
  }
  if (!readable(field->values.any)) {
    violation("extract_fields: %s: res is %s", request->label, field->values.any == NULL ? "NULL" : "not written");
    return 0;
  }
  for (uint64_t i = 0; i < field->count; i++) {
    if (!check_value(request, field->values, i)) return 0;
  }
  return field->count;
}

static void write_value(const char* key, uint32_t type, union field_values values, uint64_t i, struct json_out* out) {
  char address[INET6_ADDRSTRLEN];
  switch (type) {
    case TYPE_STRING:
      json_text(out, key, values.text[i]);
      break;
    case TYPE_BOOL:
      json_bool(out, key, values.truth[i] != 0);
      break;
    case TYPE_IPADDR:
    case TYPE_IPNET:
      inet_ntop(values.bytes[i].length == 4 ? AF_INET : AF_INET6, values.bytes[i].start, address, sizeof address);
      json_text(out, key, address);
      break;
    default:
      json_uint(out, key, values.number[i]);
  }
}

void write_values(const struct plugin* plugin, const struct request* request, const struct extraction* extraction, uint64_t count,
                  struct json_out* out) {
  if (count == 0) return;
  uint32_t type = request->field->type;
  if (plugin->major == 0) {
    struct abi03_field field = extraction->field.abi03;
    union field_values values = {.text = &field.text};
    if (type != TYPE_STRING) values.number = &field.number;
    write_value(request->label, type, values, 0, out);
    return;
  }
  union field_values values = extraction->field.abi3.values;
  if (!request->field->is_list) {
    write_value(request->label, type, values, 0, out);
    return;
  }
  json_open(out, request->label, '[');
  for (uint64_t i = 0; i < count; i++) write_value(NULL, type, values, i, out);
  json_close(out, ']');
}

void write_offsets(const struct request* request, const struct extraction* extraction, uint64_t count, uint32_t event_length,
                   struct json_out* out) {
  const uint32_t *start = extraction->offsets.start, *length = extraction->offsets.length;
  if ((start == NULL) != (length == NULL)) violation("extract_fields: %s: one array of offsets without the other", request->label);
  if (count == 0 || start == NULL || length == NULL) return;
  json_open(out, request->label, '[');
  for (uint64_t i = 0; i < count; i++) {
    if ((uint64_t)start[i] + length[i] > event_length) violation("extract_fields: %s: offsets beyond the event's end", request->label);
    json_open(out, NULL, '[');
    json_uint(out, NULL, start[i]);
    json_uint(out, NULL, length[i]);
    json_close(out, ']');
  }
  json_close(out, ']');
}
