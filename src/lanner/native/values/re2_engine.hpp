// The engine of patterns: RE2. No Python here; the module _pattern has it.
#pragma once

#include <re2/re2.h>

#include "values/pattern.hpp"

namespace lanner {

// As lanner.sdk.payload.patterns
RE2::Options re2_options();

extern const RegexEngine re2_engine;

}  // namespace lanner
