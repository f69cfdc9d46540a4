// Rules that an event's values do not single out, found by the texts that have to stand in one: for `contains` and the like, and among
// the many rules that want the same value. No Python here.
#pragma once

#include "rules/program.hpp"

namespace lanner {

// Takes out of each large group what can match only where one of some texts stands in an operand's value, and puts it into `texts`.
void index_texts(Program& program);

}  // namespace lanner
