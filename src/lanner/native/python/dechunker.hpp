// The Python type lanner.native.Dechunker: the chunked transfer coding of HTTP/1.1, decoded incrementally.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "framing/chunked.hpp"

namespace lanner {

int add_dechunker(PyObject* module);

// The decoder in a Python object, if it is a Dechunker.
Decoder* as_decoder(PyObject* object);

}  // namespace lanner
