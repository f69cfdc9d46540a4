#include "stream/fingerprint.hpp"

#include <cstring>

#include "values/characters.hpp"

namespace lanner {
namespace {

constexpr std::uint64_t prime = (std::uint64_t{1} << 61) - 1;
constexpr std::size_t word_size = 7;  // bytes: a word must be less than the prime
constexpr std::string_view member = "\"timeNano\":";
constexpr std::size_t most_digits = 19;  // every number with this many digits fits in 64 bits

__extension__ using Wide = unsigned __int128;

// Returns a congruent number below about 2^62.
std::uint64_t folded(Wide number) {
  const auto low = static_cast<std::uint64_t>(number) & prime;
  const auto high = static_cast<std::uint64_t>(number >> 61);
  return low + (high & prime) + (high >> 61);
}

std::uint64_t product(std::uint64_t one, std::uint64_t other) { return folded(static_cast<Wide>(one) * other); }

// Returns the smallest congruent number.
std::uint64_t reduced(std::uint64_t number) {
  number = (number & prime) + (number >> 61);
  return number >= prime ? number - prime : number;
}

// Reads a word. Eight bytes of the text must be readable.
std::uint64_t word(const char* at) {
  std::uint64_t bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes & ((std::uint64_t{1} << 8 * word_size) - 1);
}

bool is_ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::uint64_t number_of(std::string_view digits) {
  std::uint64_t number = 0;
  for (const char c : digits) number = number * 10 + static_cast<std::uint64_t>(c - '0');
  return number;
}

}  // namespace

std::optional<std::uint64_t> time_of(std::string_view line) {
  // engines write the time as the last member
  if (!line.empty()) {
    std::size_t at = line.size() - 1;
    while (at && is_digit(line[at - 1])) --at;
    const auto digits = line.substr(at, line.size() - 1 - at);
    if (!digits.empty() && digits.size() <= most_digits && !is_digit(line.back()) && line.substr(0, at).ends_with(member))
      return number_of(digits);
  }
  for (auto end = line.size(); end;) {
    const auto found = line.rfind(member, end - 1);
    if (found == std::string_view::npos) return std::nullopt;
    auto begin = found + member.size();
    while (begin < line.size() && is_ascii_space(line[begin])) ++begin;
    auto at = begin;
    while (at < line.size() && is_digit(line[at])) ++at;
    if (at > begin && at - begin <= most_digits) return number_of(line.substr(begin, at - begin));
    end = found;
  }
  return std::nullopt;
}

Fingerprint::Fingerprint(std::uint64_t secret) {
  const auto base = secret % (prime - 2) + 2;  // neither 0 nor 1
  powers_[0] = 1;
  for (std::size_t lane = 1; lane <= lanes; ++lane) powers_[lane] = reduced(product(powers_[lane - 1], base));
}

// The words are the coefficients of the polynomial. The leading 1 distinguishes numbers of zero words, the 1 after the last byte lengths.
std::uint64_t Fingerprint::operator()(std::string_view line) const {
  std::uint64_t value = 1;
  const char* at = line.data();
  const char* const end = at + line.size();
  while (end - at > static_cast<std::ptrdiff_t>(lanes * word_size)) {  // one byte more, because reading the last word takes eight
    Wide sum = static_cast<Wide>(value) * powers_[lanes];
    for (std::size_t lane = 0; lane < lanes; ++lane) sum += static_cast<Wide>(word(at + lane * word_size)) * powers_[lanes - 1 - lane];
    value = folded(sum);
    at += lanes * word_size;
  }
  while (end - at > static_cast<std::ptrdiff_t>(word_size)) {
    value = folded(static_cast<Wide>(value) * powers_[1] + word(at));
    at += word_size;
  }
  const auto left = static_cast<std::size_t>(end - at);
  std::uint64_t last = 0;
  std::memcpy(&last, at, left);
  last |= std::uint64_t{1} << 8 * left;
  return reduced(folded(static_cast<Wide>(value) * powers_[1] + last));
}

}  // namespace lanner
