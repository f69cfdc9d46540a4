// Finds rules by what else they need of an event's values: strings that must occur in a value (for `contains` and similar), numbers, or
// any value. Among many rules that need the same value, and among those that no indexed field selects. No Python here.
#pragma once

#include "rules/program.hpp"

namespace lanner {

// Moves rules of each large group that can match only if an operand has a certain value to the group's `values`.
void index_values(Program& program);

}  // namespace lanner
