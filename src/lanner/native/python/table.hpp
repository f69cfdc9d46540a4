// Tables of value trees, from the Python objects that lanner.sdk.values makes.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <vector>

#include "values/values.hpp"

namespace lanner {

// The trees of a list or tuple of what `Value.data()` gives. False with a ValueError set where it is no such table.
bool to_table(PyObject* object, std::vector<Value>& table);

}  // namespace lanner
