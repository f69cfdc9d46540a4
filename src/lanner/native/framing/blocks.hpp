// Sixteen bytes of a string at once. No Python here.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace lanner {

// Of a comparison each byte is 0 or has all bits set.
using Block = std::uint8_t __attribute__((vector_size(16)));

inline Block load_block(const char* at) {
  Block block;
  std::memcpy(&block, at, sizeof block);
  return block;
}

inline Block equals(Block block, char c) { return reinterpret_cast<Block>(block == static_cast<std::uint8_t>(c)); }

// One bit for each byte of a comparison.
inline std::uint64_t bits_of(Block answers) {
#ifdef __SSE2__
  return static_cast<std::uint64_t>(_mm_movemask_epi8(reinterpret_cast<__m128i>(answers)));
#else
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t halves[2];
  std::memcpy(halves, &answers, sizeof halves);
  // the product moves the lowest bits of the eight bytes side by side into the highest byte
  const auto gather = [](std::uint64_t half) { return (half & 0x0101'0101'0101'0101) * 0x0102'0408'1020'4080 >> 56; };
  return gather(halves[0]) | gather(halves[1]) << 8;
#endif
}

// Calls take(place) with the numbers of the bits that are set, in order, until it returns false. Returns whether it never did.
template <typename Take>
bool each_bit(std::uint64_t bits, Take&& take) {
  for (; bits; bits &= bits - 1) {
    if (!take(static_cast<std::size_t>(std::countr_zero(bits)))) return false;
  }
  return true;
}

}  // namespace lanner
