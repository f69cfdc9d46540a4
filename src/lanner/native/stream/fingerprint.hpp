// Time and hash of an event's line: together they identify the event. This file does not use Python.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lanner {

// The member with the time, as JSON text.
constexpr std::string_view time_member = "\"timeNano\":";

// Returns the event's time in ns since 1970: the number of the line's last member "timeNano", or nothing.
//
// Quotes inside a JSON text are escaped, so the search finds only names of members. Labels of that name have strings as values.
std::optional<std::uint64_t> time_of(std::string_view line);

// The same if the line ends as engines end it: with that member, whose number has 19 digits, as times from 2001 to 2286 have. Else
// nothing. If such a line is valid JSON, its object has that member, and no later one with this name.
std::optional<std::uint64_t> last_time_of(std::string_view line);

// A hash with a secret key, in two stages. Without the key, two lines of at most n bytes collide with probability (n / 40 + 5) / 2^61,
// however they are chosen. No hash leaves the process.
//
// First, blocks of 128 bytes are reduced to 128 bits: the sum of the products of neighbouring words, to each of which a word of the key was
// added (NH, as in UMAC). Two blocks have the same sum with probability 2^-64. Second, these sums are the coefficients of a polynomial
// modulo 2^61 - 1. Most of the cost is one multiplication for 16 bytes.
class Fingerprint {
 public:
  static constexpr std::size_t block_words = 16;
  using Secret = std::array<std::uint64_t, block_words + 1>;

  // Returns random numbers of the system. Throws std::system_error.
  static Secret new_secret();

  explicit Fingerprint(const Secret& secret);

  std::uint64_t operator()(std::string_view line) const;

 private:
  __extension__ using Wide = unsigned __int128;

  Wide product_of(const char* at, std::size_t key) const;
  Wide last_sum(const char* at, std::size_t size) const;

  std::array<std::uint64_t, block_words> keys_;
  std::array<std::uint64_t, 3> powers_;  // of the base, from the first
};

}  // namespace lanner
