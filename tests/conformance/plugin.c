/* Loading, and what plugins say of themselves: symbols, strings, fields. */
#include "plugin.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static const char* const symbol_names[] = {
#define AS_TEXT(name) #name,
    PLUGIN_SYMBOLS(AS_TEXT)
#undef AS_TEXT
};

bool plugin_has(const struct plugin* plugin, enum symbol symbol) { return plugin->symbols[symbol] != NULL; }

bool plugin_since(const struct plugin* plugin, unsigned major, unsigned minor) { return plugin->major == major && plugin->minor >= minor; }

/* -- strings that plugins hand out ---------------------------------------------------------------------------------------------------- */

static const char* call_text(struct plugin* plugin, enum symbol symbol) {
  doing = symbol_names[symbol];
  const char* text = ((const char* (*)(void))plugin->symbols[symbol])();
  if (text == NULL) violation("%s: NULL", doing);
  if (text == NULL || plugin->held_count == MOST_HELD) return text;
  plugin->held[plugin->held_count++] = (struct held_text){.function = doing, .text = text, .copy = strdup(text)};
  return text;
}

void plugin_check_held_texts(const struct plugin* plugin) {
  for (const struct held_text* held = plugin->held; held < plugin->held + plugin->held_count; held++) {
    if (strcmp(held->text, held->copy) != 0) violation("%s: its text changed while it was in use", held->function);
  }
}

/* -- loading ------------------------------------------------------------------------------------------------------------------------ */

/* Digits and two dots, as the framework reads versions. */
static bool read_version(const char* text, unsigned* major, unsigned* minor, unsigned* patch) {
  int end = 0;
  return sscanf(text, "%u.%u.%u%n", major, minor, patch, &end) == 3 && text[end] == '\0' && isdigit((unsigned char)text[0]);
}

bool plugin_load(struct plugin* plugin) {
  doing = "dlopen";
  plugin->library = dlopen(plugin->path, plugin->load_flags);
  if (plugin->library == NULL) {
    violation("dlopen: %s", dlerror());
    return false;
  }
  for (int i = 0; i < SYMBOL_COUNT; i++) {
    char name[64];
    snprintf(name, sizeof name, "plugin_%s", symbol_names[i]);
    plugin->symbols[i] = dlsym(plugin->library, name);
  }
  if (!plugin_has(plugin, SYMBOL_get_required_api_version)) {
    violation("symbol missing: plugin_get_required_api_version");
    return false;
  }
  const char* version = call_text(plugin, SYMBOL_get_required_api_version);
  if (version == NULL || !read_version(version, &plugin->major, &plugin->minor, &plugin->patch)) {
    violation("get_required_api_version: '%s' is not a version", version == NULL ? "NULL" : version);
    return false;
  }
  static const struct {
    unsigned major, minor;
  } newest[] = {{0, 3}, {1, 0}, {2, 0}, {3, 12}};
  for (size_t i = 0; i < sizeof newest / sizeof *newest; i++) {
    if (plugin->major == newest[i].major && plugin->minor <= newest[i].minor) return plugin->major > 0 || plugin->minor == 3;
  }
  violation("get_required_api_version: no framework offers %s", version);
  return false;
}

bool plugin_unload(struct plugin* plugin) {
  doing = "dlclose";
  while (plugin->held_count > 0) free(plugin->held[--plugin->held_count].copy);
  free(plugin->first_extract_source);
  plugin->first_extract_source = NULL;
  for (uint32_t i = 0; i < plugin->field_count; i++) free(plugin->fields[i].name);
  free(plugin->fields);
  plugin->fields = NULL;
  plugin->field_count = 0;
  dlclose(plugin->library);
  void* still = dlopen(plugin->path, RTLD_LAZY | RTLD_NOLOAD);
  if (still == NULL) return true;
  dlclose(still); /* asking counted as loading */
  return false;
}

/* -- symbols ------------------------------------------------------------------------------------------------------------------------ */

static bool need(const struct plugin* plugin, const enum symbol* symbols, size_t count) {
  bool well = true;
  for (size_t i = 0; i < count; i++) {
    if (plugin_has(plugin, symbols[i])) continue;
    violation("symbol missing: plugin_%s", symbol_names[symbols[i]]);
    well = false;
  }
  return well;
}

static void need_none(const struct plugin* plugin, const enum symbol* symbols, size_t count, const char* capability) {
  for (size_t i = 0; i < count; i++) {
    if (plugin_has(plugin, symbols[i])) violation("symbol without its capability (%s): plugin_%s", capability, symbol_names[symbols[i]]);
  }
}

#define NEED(...) need(plugin, (const enum symbol[]){__VA_ARGS__}, sizeof((enum symbol[]){__VA_ARGS__}) / sizeof(enum symbol))
#define NEED_NONE(capability, ...) \
  need_none(plugin, (const enum symbol[]){__VA_ARGS__}, sizeof((enum symbol[]){__VA_ARGS__}) / sizeof(enum symbol), capability)

static bool check_symbols(struct plugin* plugin) {
  bool well = NEED(SYMBOL_get_version, SYMBOL_get_name, SYMBOL_get_description, SYMBOL_get_contact, SYMBOL_init, SYMBOL_destroy,
                   SYMBOL_get_last_error);
  if (plugin->major == 0) {
    if (!NEED(SYMBOL_get_type)) return false;
    doing = "get_type";
    uint32_t kind = ((uint32_t (*)(void))plugin->symbols[SYMBOL_get_type])();
    if (kind != KIND_SOURCE && kind != KIND_EXTRACTOR) violation("get_type: %u is neither 1 (source) nor 2 (extractor)", kind);
    plugin->is_source = kind == KIND_SOURCE;
    if (plugin->is_source) well = NEED(SYMBOL_get_id, SYMBOL_get_event_source, SYMBOL_event_to_string) && well;
    if (kind == KIND_EXTRACTOR) well = NEED(SYMBOL_get_fields, SYMBOL_extract_fields) && well;
  } else {
    plugin->is_source = plugin_has(plugin, SYMBOL_open) || plugin_has(plugin, SYMBOL_close) || plugin_has(plugin, SYMBOL_next_batch);
  }
  if (plugin->is_source) {
    well = NEED(SYMBOL_open, SYMBOL_close, SYMBOL_next_batch) && well;
  } else {
    NEED_NONE("source", SYMBOL_get_id, SYMBOL_get_event_source, SYMBOL_open, SYMBOL_close, SYMBOL_next_batch, SYMBOL_list_open_params,
              SYMBOL_get_progress, SYMBOL_event_to_string);
  }
  plugin->is_extractor = plugin_has(plugin, SYMBOL_extract_fields);
  if (plugin->is_extractor) {
    well = NEED(SYMBOL_get_fields) && well;
  } else {
    NEED_NONE("extraction", SYMBOL_get_fields, SYMBOL_get_extract_event_sources, SYMBOL_get_extract_event_types);
  }
  if (plugin_has(plugin, SYMBOL_set_async_event_handler)) {
    well = NEED(SYMBOL_get_async_events) && well;
  } else {
    NEED_NONE("async events", SYMBOL_get_async_events, SYMBOL_get_async_event_sources, SYMBOL_dump_state);
  }
  if (!plugin_has(plugin, SYMBOL_parse_event)) NEED_NONE("parsing", SYMBOL_get_parse_event_sources, SYMBOL_get_parse_event_types);
  if (plugin_has(plugin, SYMBOL_capture_open)) well = NEED(SYMBOL_capture_close) && well;
  else NEED_NONE("capture listening", SYMBOL_capture_close);
  if (!plugin->is_source && !plugin->is_extractor && !plugin_has(plugin, SYMBOL_parse_event) &&
      !plugin_has(plugin, SYMBOL_set_async_event_handler) && !plugin_has(plugin, SYMBOL_capture_open)) {
    violation("no capability at all");
    return false;
  }
  return well;
}

static void write_symbols(const struct plugin* plugin, struct json_out* out) {
  json_open(out, "symbols", '[');
  for (int i = 0; i < SYMBOL_COUNT; i++) {
    if (plugin->symbols[i] != NULL) json_text(out, NULL, symbol_names[i]);
  }
  json_close(out, ']');
  json_open(out, "capabilities", '[');
  if (plugin->is_source) json_text(out, NULL, "sourcing");
  if (plugin->is_extractor) json_text(out, NULL, "extraction");
  if (plugin_has(plugin, SYMBOL_parse_event)) json_text(out, NULL, "parsing");
  if (plugin_has(plugin, SYMBOL_set_async_event_handler)) json_text(out, NULL, "async");
  if (plugin_has(plugin, SYMBOL_capture_open)) json_text(out, NULL, "capture listening");
  json_close(out, ']');
}

/* -- fields ------------------------------------------------------------------------------------------------------------------------- */

static uint32_t type_by_name(const struct plugin* plugin, const char* name) {
  static const struct {
    const char* name;
    uint32_t type;
  } types[] = {{"string", TYPE_STRING},   {"uint64", TYPE_UINT64}, {"bool", TYPE_BOOL},  {"reltime", TYPE_RELTIME},
               {"abstime", TYPE_ABSTIME}, {"ipaddr", TYPE_IPADDR}, {"ipnet", TYPE_IPNET}};
  size_t count = plugin->major < 3 ? 2 : sizeof types / sizeof *types;
  for (size_t i = 0; i < count; i++) {
    if (name != NULL && strcmp(types[i].name, name) == 0) return types[i].type;
  }
  return 0;
}

/* [a-zA-Z]+[a-zA-Z0-9_]*(\.[a-zA-Z]+[a-zA-Z0-9_]*)+ : what conditions can name */
static bool is_field_name(const char* name) {
  int words = 0;
  for (;; name++) {
    if (!isalpha((unsigned char)*name)) return false;
    while (isalnum((unsigned char)*name) || *name == '_') name++;
    words++;
    if (*name != '.') return *name == '\0' && words > 1;
  }
}

static bool flag(const struct json* object, const char* key, const char* field) {
  const struct json* member = json_get(object, key);
  if (member == NULL || member->type == JSON_NULL) return false;
  if (member->type != JSON_BOOL) violation("get_fields: %s of %s is not a boolean", key, field);
  return member->truth;
}

static void check_properties(const struct json* entry, const char* field) {
  const struct json* properties = json_get(entry, "properties");
  if (properties == NULL || properties->type == JSON_NULL) return;
  if (properties->type != JSON_ARRAY) violation("get_fields: properties of %s is not an array", field);
  for (const struct json* next = properties->first; next != NULL; next = next->next) {
    if (next->type != JSON_STRING) violation("get_fields: properties of %s holds something else than strings", field);
  }
}

static void read_field(const struct plugin* plugin, const struct json* entry, struct field* field) {
  const char *name = json_string(entry, "name"), *type = json_string(entry, "type"), *desc = json_string(entry, "desc");
  if (name == NULL) name = "";
  if (!is_field_name(name)) violation("get_fields: no condition can name '%s'", name);
  if (plugin->major < 3 && strlen(name) > 63) violation("get_fields: %s is cut at 63 bytes", name);
  if (desc == NULL || *desc == '\0') violation("get_fields: %s has no desc", name);
  field->name = strdup(name);
  field->type = type_by_name(plugin, type);
  if (field->type == 0) violation("get_fields: type of %s is '%s'", name, type == NULL ? "" : type);
  check_properties(entry, name);
  if (plugin->major == 0) {
    field->needs_arg = flag(entry, "argRequired", name);
    field->takes_key = true; /* 0.3 has one kind of argument, and never says whether a field takes it */
    return;
  }
  const struct json* arg = json_get(entry, "arg");
  field->is_list = flag(entry, "isList", name);
  field->needs_arg = flag(arg, "isRequired", name);
  field->takes_index = flag(arg, "isIndex", name);
  field->takes_key = flag(arg, "isKey", name);
  flag(entry, "addOutput", name);
  if (field->needs_arg && !field->takes_index && !field->takes_key) violation("get_fields: %s needs an argument that can be neither", name);
}

static bool read_fields(struct plugin* plugin, const char* text, struct json_out* out) {
  struct json* root = text == NULL ? NULL : json_parse(text);
  if (root == NULL || root->type != JSON_ARRAY || root->first == NULL) {
    violation("get_fields: no JSON array with something in it");
    json_free(root);
    return false;
  }
  json_raw(out, "fields", text, strlen(text));
  for (const struct json* entry = root->first; entry != NULL; entry = entry->next) plugin->field_count++;
  plugin->fields = calloc(plugin->field_count, sizeof *plugin->fields);
  uint32_t i = 0;
  for (const struct json* entry = root->first; entry != NULL; entry = entry->next, i++) {
    read_field(plugin, entry, &plugin->fields[i]);
    for (uint32_t before = 0; before < i; before++) {
      if (strcmp(plugin->fields[before].name, plugin->fields[i].name) == 0) violation("get_fields: %s twice", plugin->fields[i].name);
    }
  }
  json_free(root);
  return true;
}

/* -- all that needs no init --------------------------------------------------------------------------------------------------------- */

static const char* nonempty(struct plugin* plugin, enum symbol symbol, struct json_out* out, const char* key) {
  const char* text = call_text(plugin, symbol);
  if (text != NULL && *text == '\0') violation("%s: empty", symbol_names[symbol]);
  json_text(out, key, text);
  return text == NULL ? "" : text;
}

static bool describe_source(struct plugin* plugin, struct json_out* out) {
  plugin->id = 0;
  plugin->source = "";
  if (plugin_has(plugin, SYMBOL_get_id)) {
    doing = "get_id";
    plugin->id = ((uint32_t (*)(void))plugin->symbols[SYMBOL_get_id])();
  }
  if (plugin_has(plugin, SYMBOL_get_event_source)) plugin->source = call_text(plugin, SYMBOL_get_event_source);
  if (plugin->source == NULL) plugin->source = "";
  json_uint(out, "id", plugin->id);
  json_text(out, "source", plugin->source);
  bool needs_both = plugin->major < 3;
  if (needs_both && plugin->id == 0) violation("get_id: 0");
  if (needs_both && *plugin->source == '\0') violation("get_event_source: empty");
  if ((plugin->id != 0) != (*plugin->source != '\0')) violation("one of id and event source without the other");
  if (strcmp(plugin->source, "syscall") == 0) violation("get_event_source: syscall is reserved");
  return strcmp(plugin->source, "syscall") != 0;
}

static void describe_schema(struct plugin* plugin, struct json_out* out) {
  doing = "get_init_schema";
  int32_t type = 0x5AA5AA5A;
  const char* schema = ((const char* (*)(int32_t*))plugin->symbols[SYMBOL_get_init_schema])(&type);
  if (type != SCHEMA_NONE && type != SCHEMA_JSON) violation("get_init_schema: the type is not written, or %d", type);
  if (schema == NULL || *schema == '\0') {
    if (type == SCHEMA_JSON) violation("get_init_schema: JSON, but no text");
    return;
  }
  json_text(out, "schema", schema);
  if (type != SCHEMA_JSON) return;
  struct json* root = json_parse(schema);
  if (root == NULL || root->type != JSON_OBJECT) violation("get_init_schema: no JSON object");
  plugin->schema = root;
}

static void describe_extract_sources(struct plugin* plugin, struct json_out* out) {
  const char* text = call_text(plugin, SYMBOL_get_extract_event_sources);
  if (text == NULL || *text == '\0') return;
  struct json* root = json_parse(text);
  bool well = root != NULL && root->type == JSON_ARRAY;
  for (const struct json* next = well ? root->first : NULL; next != NULL; next = next->next) well = well && next->type == JSON_STRING;
  if (well) json_raw(out, "extract_sources", text, strlen(text));
  else violation("get_extract_event_sources: no JSON array of strings");
  if (well && root->first != NULL && !plugin->is_source) plugin->source = plugin->first_extract_source = strdup(root->first->text);
  json_free(root);
}

bool plugin_describe(struct plugin* plugin, struct json_out* out) {
  json_free(plugin->schema);
  plugin->schema = NULL;
  plugin->source = "";
  char api[48];
  snprintf(api, sizeof api, "%u.%u.%u", plugin->major, plugin->minor, plugin->patch);
  json_text(out, "api", api);
  bool well = check_symbols(plugin);
  write_symbols(plugin, out);
  if (!well) return false;
  plugin->mark = OWNER_MARK;
  snprintf(plugin->name, sizeof plugin->name, "%s", nonempty(plugin, SYMBOL_get_name, out, "name"));
  nonempty(plugin, SYMBOL_get_description, out, "description");
  nonempty(plugin, SYMBOL_get_contact, out, "contact");
  unsigned number[3];
  const char* version = nonempty(plugin, SYMBOL_get_version, out, "version");
  if (!read_version(version, &number[0], &number[1], &number[2])) violation("get_version: '%s' is not a version", version);
  if (plugin->is_source) well = describe_source(plugin, out);
  if (plugin_has(plugin, SYMBOL_get_init_schema)) describe_schema(plugin, out);
  if (plugin_has(plugin, SYMBOL_get_extract_event_sources)) describe_extract_sources(plugin, out);
  if (plugin->is_extractor) well = read_fields(plugin, call_text(plugin, SYMBOL_get_fields), out) && well;
  plugin_check_held_texts(plugin);
  return well;
}

/* -- fields asked for --------------------------------------------------------------------------------------------------------------- */

/* As rules are read: an index is a number without a leading zero. Before 3.0 a field that takes indexes takes nothing else. */
static bool read_arg(const struct plugin* plugin, struct request* request) {
  const struct field* field = request->field;
  if (request->arg == NULL) return !field->needs_arg;
  char* end = NULL;
  bool digits = isdigit((unsigned char)request->arg[0]) && (request->arg[0] != '0' || request->arg[1] == '\0');
  errno = 0;
  if (digits) request->index = strtoull(request->arg, &end, 10);
  request->has_index = field->takes_index && digits && *end == '\0' && errno == 0;
  if (plugin->major < 3 && field->takes_index) return request->has_index;
  return request->has_index || field->takes_key;
}

static bool read_request(const struct plugin* plugin, const char* text, size_t length, struct request* request) {
  request->label = strndup(text, length);
  const char* bracket = memchr(text, '[', length);
  size_t name_length = bracket == NULL ? length : (size_t)(bracket - text);
  if (bracket != NULL) request->arg = strndup(bracket + 1, length - name_length - 2);
  for (uint32_t i = 0; i < plugin->field_count && request->field == NULL; i++) {
    const char* name = plugin->fields[i].name;
    if (strlen(name) != name_length || memcmp(name, text, name_length) != 0) continue;
    request->field = &plugin->fields[i];
    request->id = i;
  }
  if (request->field != NULL && read_arg(plugin, request)) return true;
  const char* why = request->field == NULL ? "no such field" : "its argument is missing, or not allowed";
  fprintf(stderr, "conformance_host: %s: %s\n", request->label, why);
  return false;
}

void free_requests(struct request* requests, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    free(requests[i].label);
    free(requests[i].arg);
  }
  free(requests);
}

struct request* plugin_requests(const struct plugin* plugin, const char* wish, uint32_t* count) {
  *count = 0;
  struct request* requests = calloc((wish == NULL ? plugin->field_count : strlen(wish)) + 1, sizeof *requests);
  if (wish == NULL) {
    for (uint32_t i = 0; i < plugin->field_count; i++) {
      if (plugin->fields[i].needs_arg) continue;
      requests[(*count)++] = (struct request){.field = &plugin->fields[i], .id = i, .label = strdup(plugin->fields[i].name)};
    }
    return requests;
  }
  while (*wish != '\0') {
    size_t length = strcspn(wish, ",["); /* an argument may hold commas */
    if (wish[length] == '[') {
      const char* end = strchr(wish + length, ']');
      if (end == NULL || (end[1] != '\0' && end[1] != ',')) {
        fprintf(stderr, "conformance_host: %s: brackets\n", wish);
        return NULL;
      }
      length = (size_t)(end - wish) + 1;
    }
    if (!read_request(plugin, wish, length, &requests[*count])) return NULL;
    ++*count;
    wish += length;
    if (*wish == ',') wish++;
  }
  return requests;
}
