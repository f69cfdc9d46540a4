// JSON as Python's objects, for a plugin in a .so: its start needs no module of Python for it.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace lanner {

PyObject* py_decode_json(PyObject*, PyObject* text);
PyObject* py_encode_json(PyObject*, PyObject* value);

}  // namespace lanner
