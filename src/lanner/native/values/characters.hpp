// Kinds of ASCII characters, which several files look for. No Python here.
#pragma once

#include <string_view>

namespace lanner {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whitespace in JSON (RFC 8259, section 2)
inline bool is_json_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Characters of a JSON number (RFC 8259, section 6)
inline bool is_number_char(char c) { return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }

// C hosts read a string only up to its first NUL.
inline std::string_view until_nul(std::string_view text) { return text.substr(0, text.find('\0')); }

}  // namespace lanner
