// Small helpers around the Python C API: exceptions and texts.
#pragma once

#include <string>

#include "python/ref.hpp"

namespace lanner {

// The exception that is set, with its traceback; none is set after it.
Ref take_exception();

// What an exception says: of a LannerError its text, of others their type too.
std::string describe(PyObject* exception);

// The UTF-8 of a str; what is no str or no UTF-8 raises PythonError.
std::string to_string(PyObject* text);

}  // namespace lanner
