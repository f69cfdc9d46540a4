#include "yaml/text.hpp"

#include <algorithm>
#include <cstring>

namespace lanner {

std::size_t after_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

std::size_t after_spaces(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    if (text[at] == '#') {
      while (at < text.size() && !is_break(text[at])) ++at;
    } else if (is_space(text[at])) {
      ++at;
    } else {
      break;
    }
  }
  return at;
}

std::size_t after_properties(std::string_view text, std::size_t at) {
  for (char first = char_at(text, at); first == '&' || first == '!'; first = char_at(text, at)) {
    const bool verbatim = first == '!' && char_at(text, at + 1) == '<';
    at = verbatim ? std::min(text.find('>', at), text.size() - 1) + 1 : after_name(text, at);
    at = after_spaces(text, at);
  }
  return at;
}

std::size_t after_name(std::string_view text, std::size_t at) { return std::min(text.find_first_of("[]{}, \t\r\n", at + 1), text.size()); }

std::size_t after_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at++];
  while (at < text.size()) {
    const bool is_doubled = quote == '\'' && text[at] == quote && char_at(text, at + 1) == quote;
    if (is_doubled || (quote == '"' && text[at] == '\\')) {
      at += 2;
    } else if (text[at] == quote) {
      return at + 1;
    } else {
      ++at;
    }
  }
  return text.size();
}

std::size_t after_scalar(std::string_view text, std::size_t at, char style, std::string_view value) {
  if (style == '\'' || style == '"') return after_quoted(text, at);
  if (!style && text.compare(at, value.size(), value) == 0) return at + value.size();
  if (style) at = std::min(text.find_first_of("\r\n", at), text.size());
  // folding changes only spaces
  std::size_t end = at;
  for (const char c : value) {
    if (is_space(c)) continue;
    const void* found = end < text.size() ? std::memchr(text.data() + end, c, text.size() - end) : nullptr;
    if (!found) break;
    end = static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) + 1;
  }
  return end;
}

}  // namespace lanner
