/* Results of extract_fields: checks, and the values as JSON. */
#ifndef LANNER_TESTS_HOST_VALUES_H
#define LANNER_TESTS_HOST_VALUES_H

#include "plugin.h"

/* One call for one field as Falco makes it; the name and argument lie in memory that is overwritten right after. */
void extract_strictly(const struct plugin* plugin, void* state, const struct event* event, const struct request* request, bool with_offsets,
                      struct extraction* extraction);

/* Checks the answer; how many values there are to read. */
uint64_t check_extraction(const struct plugin* plugin, const struct request* request, const struct extraction* extraction);

void write_values(const struct plugin* plugin, const struct request* request, const struct extraction* extraction, uint64_t count,
                  struct json_out* out);

/* Offsets, where the plugin gave any: [[start, length], ...]. */
void write_offsets(const struct request* request, const struct extraction* extraction, uint64_t count, uint32_t event_length,
                   struct json_out* out);

#endif
