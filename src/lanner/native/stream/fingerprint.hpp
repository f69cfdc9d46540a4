// Time and hash of an event's line: together they identify the event. This file does not use Python.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lanner {

// Returns the event's time in ns since 1970: the number of the line's last member "timeNano", or nothing.
//
// Quotes inside a JSON text are escaped, so the search finds only names of members. Labels of that name have texts as values.
std::optional<std::uint64_t> time_of(std::string_view line);

// A hash with a secret key: a polynomial of the line's bytes modulo 2^61 - 1. Without the key, two lines of n bytes collide with
// probability n / 2^63. No hash leaves the process.
class Fingerprint {
 public:
  explicit Fingerprint(std::uint64_t secret);

  std::uint64_t operator()(std::string_view line) const;

 private:
  static constexpr std::size_t lanes = 8;

  std::array<std::uint64_t, lanes + 1> powers_;  // powers of the secret
};

}  // namespace lanner
