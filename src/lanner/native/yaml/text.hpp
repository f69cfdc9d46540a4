// The source text at a place from yaml-cpp, which reports where a node begins, not where it ends.
#pragma once

#include <string_view>

#include "yaml/tree.hpp"

namespace lanner {

inline char char_at(std::string_view text, std::size_t at) { return at < text.size() ? text[at] : '\0'; }
inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
inline bool is_break(char c) { return c == '\n' || c == '\r'; }
inline bool is_space(char c) { return is_blank(c) || is_break(c); }
inline bool is_space_or_end(std::string_view text, std::size_t at) { return at >= text.size() || is_space(text[at]); }

// The first place from `at` that is not a blank.
std::size_t after_blanks(std::string_view text, std::size_t at);

// The first place from `at` that is neither a space nor in a comment.
std::size_t after_spaces(std::string_view text, std::size_t at);

// The place after the tag and the anchor at `at`, where a node's own text begins.
std::size_t after_properties(std::string_view text, std::size_t at);

// The place after the anchor or alias at `at`, which begins with & or *.
std::size_t after_name(std::string_view text, std::size_t at);

// The place after the scalar in quotes at `at`.
std::size_t after_quoted(std::string_view text, std::size_t at);

// The place after a scalar's last non-space character, if its text begins at `at`; `style` as in YamlNode.
std::size_t after_scalar(std::string_view text, std::size_t at, char style, std::string_view value);

}  // namespace lanner
