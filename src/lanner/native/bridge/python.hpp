// Small helpers around the Python C API: exceptions and strings.
#pragma once

#include <string>

#include "python/ref.hpp"

namespace lanner {

// Takes the current exception with its traceback and clears it.
Ref take_exception();

// The text of an exception: for a LannerError its message, for others also their type.
std::string describe(PyObject* exception);

// The UTF-8 of a str. Throws PythonError for other objects and invalid UTF-8.
std::string to_string(PyObject* text);

}  // namespace lanner
