// Finds rules that an event's values do not select by strings that must occur in a value: for `contains` and similar, and among
// many rules that need the same value. No Python here.
#pragma once

#include "rules/program.hpp"

namespace lanner {

// Moves rules of each large group that can match only if one of some strings occurs in an operand's value to `texts`.
void index_texts(Program& program);

}  // namespace lanner
