#include "schema.h"

#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST_CONTEXT = 512 };

struct place {
  char text[DEEPEST_CONTEXT];
  char* error; /* NULL: not wanted */
  size_t size;
};

static bool validate(const struct json* schema, const struct json* value, const struct place* place);

static bool refuse(const struct place* place, const char* why) {
  if (place->error != NULL && *place->error == '\0') snprintf(place->error, place->size, "In %.400s, %.200s", place->text, why);
  return false;
}

static bool is_integer(const struct json* value) {
  double number = strtod(value->text, NULL);
  return floor(number) == number;
}

static bool has_type(const char* name, const struct json* value) {
  static const struct {
    const char* name;
    enum json_type type;
  } types[] = {{"null", JSON_NULL},     {"boolean", JSON_BOOL}, {"number", JSON_NUMBER},
               {"string", JSON_STRING}, {"array", JSON_ARRAY},  {"object", JSON_OBJECT}};
  if (strcmp(name, "integer") == 0) return value->type == JSON_NUMBER && is_integer(value);
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if (strcmp(types[i].name, name) == 0) return value->type == types[i].type;
  }
  return false;
}

static bool check_type(const struct json* type, const struct json* value, const struct place* place) {
  bool well = type->type == JSON_STRING && has_type(type->text, value);
  for (const struct json* next = type->type == JSON_ARRAY ? type->first : NULL; next != NULL; next = next->next) {
    well = well || has_type(next->text, value);
  }
  return well || refuse(place, "Value type not permitted by 'type' constraint.");
}

static bool check_enum(const struct json* allowed, const struct json* value, const struct place* place) {
  for (const struct json* next = allowed->first; next != NULL; next = next->next) {
    bool has_text = next->type == JSON_STRING || next->type == JSON_NUMBER;
    if (next->type == value->type && next->truth == value->truth && (!has_text || strcmp(next->text, value->text) == 0)) return true;
  }
  return refuse(place, "Failed to match against any enum values.");
}

static bool check_any(const struct json* schemas, const struct json* value, const struct place* place) {
  struct place quiet = *place;
  char first[DEEPEST_CONTEXT * 2] = "";
  quiet.error = first;
  quiet.size = sizeof first;
  for (const struct json* next = schemas->first; next != NULL; next = next->next) {
    if (validate(next, value, &quiet)) return true;
  }
  if (place->error != NULL && *place->error == '\0') snprintf(place->error, place->size, "%s", first);
  return false;
}

/* Of numbers, of strings. */
static bool check_bound(const char* word, double bound, const struct json* value, const struct place* place) {
  char why[128];
  double size = value->type == JSON_NUMBER ? strtod(value->text, NULL) : value->type == JSON_STRING ? (double)strlen(value->text) : 0;
  bool of_text = strstr(word, "Length") != NULL;
  if (value->type != (of_text ? JSON_STRING : JSON_NUMBER)) return true;
  bool at_least = strncmp(word, "min", 3) == 0;
  if (at_least ? size >= bound : size <= bound) return true;
  const char* kind = of_text ? "String should be no " : "Expected number ";
  const char* how = of_text ? (at_least ? "fewer than" : "more than") : at_least ? "greater than or equal to" : "less than or equal to";
  snprintf(why, sizeof why, "%s%s %f", kind, how, bound);
  return refuse(place, why);
}

static bool check_pattern(const char* pattern, const struct json* value, const struct place* place) {
  regex_t compiled;
  if (value->type != JSON_STRING) return true;
  if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0) return refuse(place, "the schema's pattern does not compile");
  bool found = regexec(&compiled, value->text, 0, NULL, 0) == 0;
  regfree(&compiled);
  return found || refuse(place, "Failed to match regex specified by 'pattern' constraint.");
}

static bool check_members(const struct json* schema, const struct json* value, const struct place* place) {
  const struct json *properties = json_get(schema, "properties"), *rest = json_get(schema, "additionalProperties");
  for (const struct json* member = value->type == JSON_OBJECT ? value->first : NULL; member != NULL; member = member->next) {
    const struct json* known = json_get(properties, member->key);
    struct place inner = *place;
    snprintf(inner.text, sizeof inner.text, "%.400s[%.100s]", place->text, member->key);
    if (known == NULL && rest != NULL && rest->type == JSON_BOOL && !rest->truth) {
      return refuse(place,
                    "Object contains a property that could not be validated using 'properties' or 'additionalProperties' constraints");
    }
    if (known == NULL && rest != NULL && rest->type == JSON_OBJECT) known = rest;
    if (known != NULL && !validate(known, member, &inner)) return false;
  }
  return true;
}

static bool check_items(const struct json* schema, const struct json* value, const struct place* place) {
  unsigned number = 0;
  for (const struct json* item = value->type == JSON_ARRAY ? value->first : NULL; item != NULL; item = item->next, number++) {
    struct place inner = *place;
    snprintf(inner.text, sizeof inner.text, "%.400s[%u]", place->text, number);
    if (!validate(schema, item, &inner)) return false;
  }
  return true;
}

static bool is_word(const char* word, const char* const* words) {
  for (; *words != NULL; words++) {
    if (strcmp(word, *words) == 0) return true;
  }
  return false;
}

static bool validate(const struct json* schema, const struct json* value, const struct place* place) {
  static const char* const said[] = {"title",      "description",          "default", "examples", "$schema", "$id", "writeOnly",
                                     "properties", "additionalProperties", NULL};
  static const char* const bounds[] = {"minimum", "maximum", "minLength", "maxLength", NULL};
  for (const struct json* word = schema->type == JSON_OBJECT ? schema->first : NULL; word != NULL; word = word->next) {
    const char* key = word->key;
    bool well = true;
    if (strcmp(key, "type") == 0) well = check_type(word, value, place);
    else if (strcmp(key, "enum") == 0) well = check_enum(word, value, place);
    else if (strcmp(key, "anyOf") == 0) well = check_any(word, value, place);
    else if (strcmp(key, "items") == 0) well = check_items(word, value, place);
    else if (strcmp(key, "pattern") == 0) well = check_pattern(word->text, value, place);
    else if (is_word(key, bounds)) well = check_bound(key, strtod(word->text, NULL), value, place);
    else if (!is_word(key, said)) well = refuse(place, "the schema has a word that this host does not know");
    if (!well) return false;
  }
  return check_members(schema, value, place);
}

bool schema_validate(const struct json* schema, const char* config, char* error, size_t size) {
  struct json* value = json_parse(config);
  struct place place = {.text = "<root>", .error = error, .size = size};
  *error = '\0';
  if (value == NULL) {
    snprintf(error, size, "init config is not a valid json");
    return false;
  }
  bool well = validate(schema, value, &place);
  json_free(value);
  return well;
}
