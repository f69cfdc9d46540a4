// Tables of value trees, from the Python objects of lanner.sdk.payload.values.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <vector>

#include "values/values.hpp"

namespace lanner {

// Adds the trees of a list or tuple of results of `Value.data()`. False with a ValueError set for an invalid table.
bool to_table(PyObject* object, Table& table);

// For each tree, how often a value had another type than the field, by its JSON type: a list of dicts. Another thread may count meanwhile.
// Raises PythonError.
PyObject* to_misfits(std::vector<Misfits>& misfits);

}  // namespace lanner
