#include "stream/fingerprint.hpp"

#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "values/characters.hpp"

namespace lanner {
namespace {

constexpr std::uint64_t prime = (std::uint64_t{1} << 61) - 1;
constexpr std::size_t pair_size = 2 * sizeof(std::uint64_t);
constexpr unsigned part_bits = 43;         // a third of a sum
constexpr std::size_t most_digits = 19;    // every number with this many digits fits in 64 bits
constexpr std::size_t digits_at_once = 8;  // in a word

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

std::uint64_t word(const char* at) {
  std::uint64_t bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

bool is_ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::uint64_t number_of(std::string_view digits) {
  std::uint64_t number = 0;
  for (const char c : digits) number = number * 10 + static_cast<std::uint64_t>(c - '0');
  return number;
}

// The next two take eight characters, the first one in the lowest byte.

bool are_digits(std::uint64_t text) {
  constexpr std::uint64_t upper_halves = 0xF0F0'F0F0'F0F0'F0F0, zeros = 0x3030'3030'3030'3030, sixes = 0x0606'0606'0606'0606;
  return (text & upper_halves) == zeros && ((text + sixes) & upper_halves) == zeros;
}

// Adds neighbouring digits to numbers of two digits, these to numbers of four, and those to one of eight.
std::uint64_t eight_digits(std::uint64_t text) {
  text -= 0x3030'3030'3030'3030;
  text = (text * 10 + (text >> 8)) & 0x00FF'00FF'00FF'00FF;
  text = (text * 100 + (text >> 16)) & 0x0000'FFFF'0000'FFFF;
  return (text * 10'000 + (text >> 32)) & 0xFFFF'FFFF;
}

}  // namespace

std::optional<std::uint64_t> last_time_of(std::string_view line) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::size_t size = time_member.size() + most_digits + 1;
  if (line.size() <= size || line.back() != '}') return std::nullopt;
  const char* const member = line.data() + line.size() - size;
  const char* const digits = member + time_member.size();
  if (std::memcmp(member, time_member.data(), time_member.size()) != 0 || (member[-1] != ',' && member[-1] != '{')) return std::nullopt;
  // the first three digits with five zeros before them
  constexpr std::size_t first = most_digits - 2 * digits_at_once;
  const auto high = (word(digits + first - digits_at_once) & 0xFFFF'FF00'0000'0000) | 0x0030'3030'3030;
  const auto middle = word(digits + first), low = word(digits + first + digits_at_once);
  if (*digits == '0' || !are_digits(high) || !are_digits(middle) || !are_digits(low)) return std::nullopt;
  return (eight_digits(high) * 100'000'000 + eight_digits(middle)) * 100'000'000 + eight_digits(low);
}

std::optional<std::uint64_t> time_of(std::string_view line) {
  if (const auto time = last_time_of(line)) return time;
  for (auto end = line.size(); end;) {
    const auto found = line.rfind(time_member, end - 1);
    if (found == std::string_view::npos) return std::nullopt;
    auto begin = found + time_member.size();
    while (begin < line.size() && is_ascii_space(line[begin])) ++begin;
    auto at = begin;
    while (at < line.size() && is_digit(line[at])) ++at;
    if (at > begin && at - begin <= most_digits) return number_of(line.substr(begin, at - begin));
    end = found;
  }
  return std::nullopt;
}

Fingerprint::Secret Fingerprint::new_secret() {
  Secret secret;
  if (getentropy(secret.data(), sizeof secret) < 0) throw std::system_error(errno, std::generic_category(), "getentropy");
  return secret;
}

Fingerprint::Fingerprint(const Secret& secret) {
  std::memcpy(keys_.data(), secret.data(), sizeof keys_);
  powers_[0] = secret.back() % (prime - 2) + 2;  // neither 0 nor 1
  for (std::size_t place = 1; place < powers_.size(); ++place) powers_[place] = reduced(product(powers_[place - 1], powers_[0]));
}

// The product of two words, each with its key.
Fingerprint::Wide Fingerprint::product_of(const char* at, std::size_t key) const {
  return static_cast<Wide>(word(at) + keys_[key]) * (word(at + sizeof(std::uint64_t)) + keys_[key + 1]);
}

// The sum of the last block, whose last pair of words ends with it and may repeat bytes.
Fingerprint::Wide Fingerprint::last_sum(const char* at, std::size_t size) const {
  const char* const last = at + size - pair_size;
  std::size_t key = 0;
  Wide sum = 0;
  for (; at < last; at += pair_size, key += 2) sum += product_of(at, key);
  return sum + product_of(last, key);
}

std::uint64_t Fingerprint::operator()(std::string_view line) const {
  constexpr std::size_t block_size = block_words * sizeof(std::uint64_t);
  constexpr std::uint64_t part = (std::uint64_t{1} << part_bits) - 1;
  std::uint64_t value = line.size() + 1;  // distinguishes lengths
  const auto add = [&](Wide sum) {
    // three coefficients, because each must be less than the prime
    const auto low = static_cast<std::uint64_t>(sum) & part, middle = static_cast<std::uint64_t>(sum >> part_bits) & part;
    const auto high = static_cast<std::uint64_t>(sum >> 2 * part_bits);
    value =
        folded(static_cast<Wide>(value) * powers_[2] + static_cast<Wide>(high) * powers_[1] + static_cast<Wide>(middle) * powers_[0] + low);
  };
  char padded[pair_size] = {};
  if (line.size() < pair_size) {
    line.copy(padded, line.size());
    line = {padded, pair_size};
  }
  const char* at = line.data();
  const char* const end = at + line.size();
  for (; end - at > static_cast<std::ptrdiff_t>(block_size); at += block_size) {
    Wide sum = 0;
    for (std::size_t key = 0; key < block_words; key += 2) sum += product_of(at + key * sizeof(std::uint64_t), key);
    add(sum);
  }
  add(last_sum(at, static_cast<std::size_t>(end - at)));
  return reduced(value);
}

}  // namespace lanner
