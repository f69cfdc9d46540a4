// Rules that cannot be looked up by a value, found by the texts that have to stand in one: for `contains` and the like. No Python here.
#pragma once

#include "program.hpp"

namespace lanner {

// Takes out of `always` what can match only where one of some texts stands in an operand's value, and puts it into `text_index`.
void index_texts(Program& program);

}  // namespace lanner
