/* Validation of an init configuration with a plugin's schema, as Falco does it with valijson: only the first error is reported. */
#ifndef LANNER_TESTS_HOST_SCHEMA_H
#define LANNER_TESTS_HOST_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"

/* False: `error` (of `size` bytes) says why. A word of JSON Schema that is not known here is an error, too. */
bool schema_validate(const struct json* schema, const char* config, char* error, size_t size);

#endif
