#include "json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* -- writing ------------------------------------------------------------------------------------------------------------------------ */

/* Length of the UTF-8 sequence that begins here: 0 if it is invalid (as overlong forms and surrogates are). */
static size_t utf8_length(const unsigned char* bytes, size_t left) {
  unsigned char lead = bytes[0];
  size_t length = lead < 0x80 ? 1 : lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
  if (length == 0 || length > left) return 0;
  for (size_t i = 1; i < length; i++) {
    if ((bytes[i] & 0xC0) != 0x80) return 0;
  }
  if ((lead == 0xE0 && bytes[1] < 0xA0) || (lead == 0xED && bytes[1] > 0x9F)) return 0;
  if ((lead == 0xF0 && bytes[1] < 0x90) || (lead == 0xF4 && bytes[1] > 0x8F)) return 0;
  return length;
}

static bool is_utf8(const unsigned char* bytes, size_t length) {
  for (size_t i = 0, step; i < length; i += step) {
    step = utf8_length(bytes + i, length - i);
    if (step == 0) return false;
  }
  return true;
}

static void write_string(FILE* file, const unsigned char* bytes, size_t length) {
  putc('"', file);
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] == '"' || bytes[i] == '\\') {
      putc('\\', file);
      putc(bytes[i], file);
    } else if (bytes[i] < 0x20 || bytes[i] == 0x7F) {
      fprintf(file, "\\u%04x", bytes[i]);
    } else {
      putc(bytes[i], file);
    }
  }
  putc('"', file);
}

static void begin(struct json_out* out, const char* key) {
  if (out->comma) fputs(", ", out->file);
  out->comma = true;
  if (key == NULL) return;
  write_string(out->file, (const unsigned char*)key, strlen(key));
  fputs(": ", out->file);
}

void json_open(struct json_out* out, const char* key, char bracket) {
  begin(out, key);
  putc(bracket, out->file);
  out->comma = false;
}

void json_close(struct json_out* out, char bracket) {
  putc(bracket, out->file);
  out->comma = true;
}

void json_bytes(struct json_out* out, const char* key, const void* bytes, size_t length) {
  begin(out, key);
  if (is_utf8(bytes, length)) {
    write_string(out->file, bytes, length);
    return;
  }
  fputs("{\"hex\": \"", out->file);
  for (size_t i = 0; i < length; i++) fprintf(out->file, "%02x", ((const unsigned char*)bytes)[i]);
  fputs("\"}", out->file);
}

void json_text(struct json_out* out, const char* key, const char* text) {
  if (text == NULL) {
    begin(out, key);
    fputs("null", out->file);
  } else {
    json_bytes(out, key, text, strlen(text));
  }
}

void json_int(struct json_out* out, const char* key, int64_t number) {
  begin(out, key);
  fprintf(out->file, "%" PRId64, number);
}

void json_uint(struct json_out* out, const char* key, uint64_t number) {
  begin(out, key);
  fprintf(out->file, "%" PRIu64, number);
}

void json_double(struct json_out* out, const char* key, double number) {
  begin(out, key);
  fprintf(out->file, "%.3f", number);
}

void json_bool(struct json_out* out, const char* key, bool truth) {
  begin(out, key);
  fputs(truth ? "true" : "false", out->file);
}

void json_raw(struct json_out* out, const char* key, const char* json, size_t length) {
  begin(out, key);
  fwrite(json, 1, length, out->file);
}

/* -- reading ------------------------------------------------------------------------------------------------------------------------ */

enum { DEEPEST = 64 };

static struct json* parse_value(const char** at, int depth);

static void skip_blanks(const char** at) { *at += strspn(*at, " \t\r\n"); }

static bool parse_hex4(const char* at, unsigned* code) {
  *code = 0;
  for (int i = 0; i < 4; i++) {
    char digit = at[i];
    unsigned value;
    if (digit >= '0' && digit <= '9') value = (unsigned)(digit - '0');
    else if (digit >= 'a' && digit <= 'f') value = (unsigned)(digit - 'a') + 10;
    else if (digit >= 'A' && digit <= 'F') value = (unsigned)(digit - 'A') + 10;
    else return false;
    *code = *code * 16 + value;
  }
  return true;
}

static size_t put_utf8(char* to, unsigned code) {
  if (code < 0x80) {
    to[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    to[0] = (char)(0xC0 | code >> 6);
    to[1] = (char)(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    to[0] = (char)(0xE0 | code >> 12);
    to[1] = (char)(0x80 | (code >> 6 & 0x3F));
    to[2] = (char)(0x80 | (code & 0x3F));
    return 3;
  }
  to[0] = (char)(0xF0 | code >> 18);
  to[1] = (char)(0x80 | (code >> 12 & 0x3F));
  to[2] = (char)(0x80 | (code >> 6 & 0x3F));
  to[3] = (char)(0x80 | (code & 0x3F));
  return 4;
}

/* An escape, `at` being behind its backslash. NUL is refused: strings here are C strings. */
static bool parse_escape(const char** at, char* text, size_t* length) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  char letter = *(*at)++;
  const char* found = letter == '\0' ? NULL : strchr(from, letter);
  if (found != NULL) {
    text[(*length)++] = to[found - from];
    return true;
  }
  unsigned code, low;
  if (letter != 'u' || !parse_hex4(*at, &code) || code == 0) return false;
  *at += 4;
  if (code >= 0xD800 && code < 0xDC00) {
    if ((*at)[0] != '\\' || (*at)[1] != 'u' || !parse_hex4(*at + 2, &low) || low < 0xDC00 || low > 0xDFFF) return false;
    *at += 6;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  } else if (code >= 0xDC00 && code < 0xE000) {
    return false;
  }
  *length += put_utf8(text + *length, code);
  return true;
}

static char* parse_string(const char** at) {
  if (**at != '"') return NULL;
  char* text = malloc(strlen(*at) + 1); /* an escape is never shorter than what it stands for */
  size_t length = 0;
  for ((*at)++; **at != '"';) {
    bool well = (unsigned char)**at >= 0x20;
    if (well && **at == '\\') {
      (*at)++;
      well = parse_escape(at, text, &length);
    } else if (well) {
      text[length++] = *(*at)++;
    }
    if (!well) {
      free(text);
      return NULL;
    }
  }
  (*at)++;
  text[length] = '\0';
  return text;
}

static bool parse_members(struct json* node, const char** at, int depth) {
  char end = node->type == JSON_OBJECT ? '}' : ']';
  struct json** link = &node->first;
  (*at)++;
  skip_blanks(at);
  if (**at == end) {
    (*at)++;
    return true;
  }
  for (;;) {
    char* key = NULL;
    skip_blanks(at);
    if (node->type == JSON_OBJECT) {
      key = parse_string(at);
      skip_blanks(at);
      if (key == NULL || *(*at)++ != ':') {
        free(key);
        return false;
      }
    }
    *link = parse_value(at, depth + 1);
    if (*link == NULL) {
      free(key);
      return false;
    }
    (*link)->key = key;
    link = &(*link)->next;
    skip_blanks(at);
    if (**at == end) {
      (*at)++;
      return true;
    }
    if (*(*at)++ != ',') return false;
  }
}

/* A number: -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static size_t number_length(const char* text) {
  size_t i = text[0] == '-', digits = strspn(text + i, "0123456789");
  if (digits == 0 || (digits > 1 && text[i] == '0')) return 0;
  i += digits;
  if (text[i] == '.') {
    digits = strspn(text + i + 1, "0123456789");
    if (digits == 0) return 0;
    i += 1 + digits;
  }
  if (text[i] == 'e' || text[i] == 'E') {
    size_t sign = text[i + 1] == '+' || text[i + 1] == '-';
    digits = strspn(text + i + 1 + sign, "0123456789");
    if (digits == 0) return 0;
    i += 1 + sign + digits;
  }
  return i;
}

static bool parse_into(struct json* node, const char** at, int depth) {
  static const struct {
    const char* word;
    enum json_type type;
    bool truth;
  } words[] = {{"null", JSON_NULL, false}, {"true", JSON_BOOL, true}, {"false", JSON_BOOL, false}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    size_t length = strlen(words[i].word);
    if (strncmp(*at, words[i].word, length) != 0) continue;
    *at += length;
    node->type = words[i].type;
    node->truth = words[i].truth;
    return true;
  }
  if (**at == '{' || **at == '[') {
    node->type = **at == '{' ? JSON_OBJECT : JSON_ARRAY;
    return parse_members(node, at, depth);
  }
  if (**at == '"') {
    node->type = JSON_STRING;
    node->text = parse_string(at);
    return node->text != NULL;
  }
  size_t length = number_length(*at);
  node->type = JSON_NUMBER;
  node->text = strndup(*at, length);
  *at += length;
  return length > 0;
}

static struct json* parse_value(const char** at, int depth) {
  if (depth > DEEPEST) return NULL;
  struct json* node = calloc(1, sizeof *node);
  skip_blanks(at);
  if (parse_into(node, at, depth)) return node;
  json_free(node);
  return NULL;
}

struct json* json_parse(const char* text) {
  if (!is_utf8((const unsigned char*)text, strlen(text))) return NULL;
  struct json* node = parse_value(&text, 0);
  skip_blanks(&text);
  if (*text == '\0') return node;
  json_free(node);
  return NULL;
}

const struct json* json_get(const struct json* object, const char* key) {
  if (object == NULL || object->type != JSON_OBJECT) return NULL;
  for (const struct json* member = object->first; member != NULL; member = member->next) {
    if (strcmp(member->key, key) == 0) return member;
  }
  return NULL;
}

const char* json_string(const struct json* object, const char* key) {
  const struct json* member = json_get(object, key);
  return member != NULL && member->type == JSON_STRING ? member->text : NULL;
}

void json_free(struct json* node) {
  while (node != NULL) {
    struct json* next = node->next;
    json_free(node->first);
    free(node->key);
    free(node->text);
    free(node);
    node = next;
  }
}
