// Sixteen bytes of a text at once, without the names of one processor's instructions. No Python here.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lanner {

// Of a comparison each byte is 0 or has all bits set.
using Block = std::uint8_t __attribute__((vector_size(16)));

inline Block load_block(const char* at) {
  Block block;
  std::memcpy(&block, at, sizeof block);
  return block;
}

inline Block equals(Block block, char c) { return reinterpret_cast<Block>(block == static_cast<std::uint8_t>(c)); }

inline bool any(Block answers) {
  std::uint64_t halves[2];
  std::memcpy(halves, &answers, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

// Calls take(place) with the places of the bytes that are not 0, in order, until it returns false. Returns whether it never did.
template <typename Take>
bool each_place(Block answers, Take&& take) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t halves[2];
  std::memcpy(halves, &answers, sizeof halves);
  for (std::size_t half = 0; half < 2; ++half) {
    for (auto left = halves[half]; left;) {
      const auto place = static_cast<std::size_t>(std::countr_zero(left)) / 8;
      if (!take(8 * half + place)) return false;
      left &= ~(std::uint64_t{0xFF} << 8 * place);
    }
  }
  return true;
}

}  // namespace lanner
