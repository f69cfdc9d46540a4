// Strings that occur in everything that a pattern matches: searching for them first is ten times as fast as matching. No Python here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lanner {

// The longest text in the part before the glob's first bracket
std::string text_of_glob(std::string_view pattern);

// One of these strings occurs in each text that the regular expression matches; none if unknown. They are one text outside of groups, or
// a string for each of several alternatives. Patterns with flags or names like \pL have none.
std::vector<std::string> texts_of_regex(std::string_view pattern);

}  // namespace lanner
