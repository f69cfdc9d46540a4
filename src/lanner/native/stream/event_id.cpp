#include "stream/event_id.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace lanner {
namespace {

using Words = std::array<std::uint64_t, 16>;
using State = std::array<std::uint64_t, 8>;

constexpr std::size_t hash_block = sizeof(Words);
constexpr std::size_t hash_size = sizeof(std::uint64_t);
constexpr std::size_t rounds = 12;

constexpr State initial = {0x6A09'E667'F3BC'C908, 0xBB67'AE85'84CA'A73B, 0x3C6E'F372'FE94'F82B, 0xA54F'F53A'5F1D'36F1,
                           0x510E'527F'ADE6'82D1, 0x9B05'688C'2B3E'6C1F, 0x1F83'D9AB'FB41'BD6B, 0x5BE0'CD19'137E'2179};

// The order of a block's words in each round; the last two rounds repeat the first two.
constexpr std::array<std::array<std::uint8_t, 16>, 10> orders = {{
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
}};

void mix(Words& v, std::size_t a, std::size_t b, std::size_t c, std::size_t d, std::uint64_t x, std::uint64_t y) {
  v[a] += v[b] + x;
  v[d] = std::rotr(v[d] ^ v[a], 32);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 24);
  v[a] += v[b] + y;
  v[d] = std::rotr(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 63);
}

// `count`: the bytes of the text up to the end of this block.
void compress(State& state, const char* block, std::uint64_t count, bool is_last) {
  static_assert(std::endian::native == std::endian::little);
  Words text;
  std::memcpy(text.data(), block, hash_block);
  Words v;
  std::copy(state.begin(), state.end(), v.begin());
  std::copy(initial.begin(), initial.end(), v.begin() + state.size());
  v[12] ^= count;
  if (is_last) v[14] = ~v[14];
  for (std::size_t round = 0; round < rounds; ++round) {
    const auto& order = orders[round % orders.size()];
    for (std::size_t at = 0; at < 4; ++at) mix(v, at, 4 + at, 8 + at, 12 + at, text[order[2 * at]], text[order[2 * at + 1]]);
    for (std::size_t at = 0; at < 4; ++at) {
      mix(v, at, 4 + (at + 1) % 4, 8 + (at + 2) % 4, 12 + (at + 3) % 4, text[order[8 + 2 * at]], text[order[9 + 2 * at]]);
    }
  }
  for (std::size_t at = 0; at < state.size(); ++at) state[at] ^= v[at] ^ v[at + state.size()];
}

}  // namespace

std::uint64_t stable_hash(std::string_view line) {
  State state = initial;
  state[0] ^= 0x0101'0000 ^ hash_size;
  std::uint64_t count = 0;
  for (; line.size() > hash_block; line.remove_prefix(hash_block)) compress(state, line.data(), count += hash_block, false);
  char last[hash_block] = {};
  line.copy(last, hash_block);
  compress(state, last, count + line.size(), true);
  return __builtin_bswap64(state[0]);
}

std::string event_id(std::uint64_t time, std::string_view line) {
  constexpr std::size_t most_digits = 20;
  std::string id(most_digits + 1 + 2 * hash_size, 0);
  char* at = std::to_chars(id.data(), id.data() + most_digits, time).ptr;
  *at++ = '-';
  for (auto [hash, left] = std::pair(stable_hash(line), 2 * hash_size); left; --left, hash <<= 4) *at++ = "0123456789abcdef"[hash >> 60];
  id.resize(static_cast<std::size_t>(at - id.data()));
  return id;
}

}  // namespace lanner
