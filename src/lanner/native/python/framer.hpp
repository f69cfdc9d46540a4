// The Python types lanner.native.Framer, ObjectFramer and Lines: received bytes to payloads.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "framing/lines.hpp"
#include "framing/objects.hpp"

namespace lanner {

// Creates the types and adds them to the module; -1 with a Python error set on failure.
int add_lines(PyObject* module);

// A Lines of this list, whose lines are in the memory of `keeper`, or in the list. Null with an error set.
PyObject* to_lines(PyObject* keeper, LineList list);

// The framer in a Python object, if it is an ObjectFramer.
ObjectFramer* as_object_framer(PyObject* object);

// The list in a Python object, if it is a Lines. Other modules find the function in the capsule with that name.
const LineList* as_lines(PyObject* object);
using AsLines = const LineList* (*)(PyObject*);
inline constexpr const char* as_lines_name = "lanner.native._native.as_lines";

}  // namespace lanner
