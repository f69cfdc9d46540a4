#include "rules/required_text.hpp"

#include <ctype.h>

#include <algorithm>

namespace lanner {

std::string text_of_glob(std::string_view pattern) {
  std::string longest;
  std::string text;
  for (std::size_t place = 0; place <= pattern.size(); ++place) {
    const char c = place < pattern.size() ? pattern[place] : '[';
    if (c != '*' && c != '?' && c != '\\' && c != '[') {
      text.push_back(c);
      continue;
    }
    if (text.size() > longest.size()) longest = text;
    text.clear();
    if (c == '[') break;
    if (c == '\\') ++place;
  }
  return longest;
}

std::string text_of_regex(std::string_view pattern) {
  std::string longest;
  std::string text;
  const auto end_text = [&] {
    if (text.size() > longest.size()) longest = text;
    text.clear();
  };
  int groups = 0;
  for (std::size_t place = 0; place < pattern.size(); ++place) {
    const char c = pattern[place];
    if (c == '\\') {
      if (place + 1 == pattern.size() || isalnum(static_cast<unsigned char>(pattern[place + 1]))) return {};
      end_text();
      ++place;
    } else if (c == '[') {
      end_text();
      ++place;
      if (place < pattern.size() && pattern[place] == '^') ++place;
      if (place < pattern.size() && pattern[place] == ']') ++place;
      while (place < pattern.size() && pattern[place] != ']') {
        if (pattern[place] == '\\' || pattern[place] == '[') return {};
        ++place;
      }
    } else if (c == '(' || c == ')') {
      if (pattern.substr(place).starts_with("(?")) return {};
      end_text();
      groups += c == '(' ? 1 : -1;
    } else if (c == '|' && groups == 0) {
      return {};
    } else if (groups != 0) {
      continue;
    } else if (c == '*' || c == '?' || c == '{') {
      // the previous character is optional: all bytes of a multi-byte one
      while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
      if (!text.empty()) text.pop_back();
      end_text();
      if (c == '{') place = std::min(pattern.find('}', place), pattern.size());
    } else if (c == '+' || c == '.' || c == '^' || c == '$') {
      end_text();
    } else {
      text.push_back(c);
    }
  }
  end_text();
  return longest;
}

}  // namespace lanner
