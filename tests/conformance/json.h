/* JSON, as little of it as the host needs: writing its report, reading what plugins answer. */
#ifndef LANNER_TESTS_HOST_JSON_H
#define LANNER_TESTS_HOST_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* -- writing: `key` is NULL in arrays and at the top -------------------------------------------------------------------------------- */

struct json_out {
  FILE* file;
  bool comma;
};

void json_open(struct json_out* out, const char* key, char bracket);
void json_close(struct json_out* out, char bracket);
void json_text(struct json_out* out, const char* key, const char* text);
/* Bytes that are UTF-8 become a string, all others {"hex": "..."}. */
void json_bytes(struct json_out* out, const char* key, const void* bytes, size_t length);
void json_int(struct json_out* out, const char* key, int64_t number);
void json_uint(struct json_out* out, const char* key, uint64_t number);
void json_double(struct json_out* out, const char* key, double number);
void json_bool(struct json_out* out, const char* key, bool truth);
void json_raw(struct json_out* out, const char* key, const char* json, size_t length);

/* -- reading ------------------------------------------------------------------------------------------------------------------------ */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
  enum json_type type;
  char* key;  /* in an object */
  char* text; /* of a string, escapes resolved; of a number as written */
  bool truth;
  struct json* first; /* of an array or object */
  struct json* next;  /* its neighbour in the same */
};

struct json* json_parse(const char* text); /* NULL: no JSON */
const struct json* json_get(const struct json* object, const char* key);
const char* json_string(const struct json* object, const char* key); /* NULL: not there, or no string */
void json_free(struct json* node);

#endif
