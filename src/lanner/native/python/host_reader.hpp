// The Python types lanner.native.HostReader and Loan.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "stream/host_reader.hpp"

namespace lanner {

// Creates the types and adds them to the module; -1 with a Python error set on failure.
int add_host_reader(PyObject* module);

// The reader in a Python object, if it is a HostReader.
HostReader* as_host_reader(PyObject* object);

// Tells the source of a HostReader about the host's progress. Raises PythonError.
void tell_commit(PyObject* host_reader, Commits::News news);

}  // namespace lanner
