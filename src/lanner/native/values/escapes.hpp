// Escapes in strings, as JSON has them. No Python here.
#pragma once

#include <string_view>

#include "values/arena.hpp"

namespace lanner {

// A string between its quotes, without its escapes. Invalid ones stay, and half of a surrogate pair, if no other escape with \u follows it.
// The result is the text itself or in the arena.
std::string_view unescaped(std::string_view text, Arena& arena);

}  // namespace lanner
