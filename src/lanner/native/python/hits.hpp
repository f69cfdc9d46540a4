// Conversion of the hits of a batch to Python objects.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "rules/machine.hpp"

namespace lanner {

// A list of (event, rule, sure, time, values), null with an error set.
PyObject* to_hits(const std::vector<Hit>& hits, const KeptValues& kept, const Program& program);

// A number or None, null with an error set.
PyObject* from_optional(bool has, std::uint64_t number);

}  // namespace lanner
