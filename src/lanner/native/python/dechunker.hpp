// The Python type lanner.native.Dechunker: the chunked transfer coding of HTTP/1.1, decoded incrementally.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace lanner {

int add_dechunker(PyObject* module);

}  // namespace lanner
