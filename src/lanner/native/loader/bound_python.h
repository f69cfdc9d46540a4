/* Loads the Python that the bundle is bound to into the process, and its bridge. */
#ifndef LANNER_BOUND_PYTHON_H
#define LANNER_BOUND_PYTHON_H

#include <stddef.h>

#include "bridge/bridge.h"

/* Returns the bridge, or NULL with the reason in `error` (of `size` bytes). */
const struct lanner_bridge* python_start(char* error, size_t size);

#endif
