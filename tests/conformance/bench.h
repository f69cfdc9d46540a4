#ifndef LANNER_TESTS_HOST_BENCH_H
#define LANNER_TESTS_HOST_BENCH_H

#include "session.h"

/* Loads, runs and measures; writes an object "bench". False: nothing could be measured. */
bool bench(struct plugin* plugin, const struct options* options, struct json_out* out);

#endif
