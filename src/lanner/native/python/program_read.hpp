// Programs from the plain data that lanner.rules.plan.native_program makes.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "rules/program.hpp"

namespace lanner {

// False with a ValueError set if the object is not a program.
bool to_program(PyObject* object, Program& program);

}  // namespace lanner
