// One value of a field or of a list. No Python here.
#pragma once

#include <cstdint>
#include <string_view>

namespace lanner {

// Bytes (strings, addresses) or a number (numbers, times, booleans)
struct Scalar {
  std::string_view text;
  std::uint64_t number = 0;
  bool is_text = false;

  static Scalar of(std::string_view text) { return {text, 0, true}; }
  static Scalar of(std::uint64_t number) { return {{}, number, false}; }
  bool operator==(const Scalar& other) const { return is_text == other.is_text && (is_text ? text == other.text : number == other.number); }
};

}  // namespace lanner
