// UTF-8 (RFC 3629), character by character. No Python here.
#pragma once

#include <cstddef>
#include <string_view>

namespace lanner {

// The length of the character at the beginning of a string, if it is UTF-8 (RFC 3629); 0 if not.
inline std::size_t utf8_character(std::string_view text) {
  const auto byte = [&](std::size_t place) { return static_cast<unsigned char>(text[place]); };
  const auto follows = [&](std::size_t place, unsigned from = 0x80, unsigned to = 0xBF) {
    return place < text.size() && byte(place) >= from && byte(place) <= to;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) return follows(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && follows(2) ? 3 : 0;
  if (first >= 0xF0 && first <= 0xF4)
    return follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) && follows(2) && follows(3) ? 4 : 0;
  return 0;
}

}  // namespace lanner
