// Tables of value trees, from the Python objects of lanner.sdk.values.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "values/values.hpp"

namespace lanner {

// Adds the trees of a list or tuple of results of `Value.data()`. False with a ValueError set for an invalid table.
bool to_table(PyObject* object, Table& table);

}  // namespace lanner
