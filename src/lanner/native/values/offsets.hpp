// The position of a value in a payload's text, for hosts that request it (value_offsets). No Python here.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "values/document.hpp"
#include "values/json_text.hpp"

namespace lanner {

// The spans of the value that `evaluate` returned for the same tree and payload, one for each of its `count` strings or numbers; size 0 at
// begin 0: unknown. A string's
// span is between its quotes in the source. It is unknown for a cut text with escapes, for a new text, and for the items of a list other
// than names of members.
std::vector<Span> locate(const Value& value, Document& document, std::string_view payload, const Given& given, std::size_t count,
                         Arena& arena);

}  // namespace lanner
