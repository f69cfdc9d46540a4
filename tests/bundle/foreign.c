/* A plugin as another SDK makes it, as far as `lanner inspect` goes. BREAK: what plugin_get_fields does instead of its work. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef BREAK
#define BREAK
#endif
#ifndef VERSION
#define VERSION "1.2.3"
#endif
#ifndef FIELDS
#define FIELDS \
  "[{\"type\": \"uint64\", \"name\": \"tick.count\", \"desc\": \"How many\", \"arg\": {\"isRequired\": true, \"isKey\": true}}]"
#endif

__attribute__((constructor)) static void noise(void) { puts("a library may print when it is loaded"); }

const char* plugin_get_required_api_version(void) { return "3.1.0"; }
const char* plugin_get_name(void) { return "tick"; }
const char* plugin_get_version(void) { return VERSION; }
const char* plugin_get_description(void) { return "Of another make"; }
const char* plugin_get_contact(void) { return "the tests"; }
const char* plugin_get_fields(void) {
  BREAK;
  return FIELDS;
}
int32_t plugin_extract_fields(void) { return 1; }
int32_t plugin_parse_event(void) { return 1; }
const char* plugin_get_init_schema(int32_t* kind) {
  *kind = 1;
  return "{\"type\": \"object\"}";
}
uint32_t plugin_get_id(void) { return 999; }
const char* plugin_get_event_source(void) { return "tick"; }
void* plugin_open(void) { return NULL; }
void plugin_close(void) {}
int32_t plugin_next_batch(void) { return 1; }
