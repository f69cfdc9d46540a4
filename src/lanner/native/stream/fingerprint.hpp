// Distinguishes two lines with the same time. No Python here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lanner {

// The event's time, ns since 1970: the number of the line's last member "timeNano". None: the line has no time.
//
// Quotes within a JSON text are escaped, so a match is a member's name; and labels have texts as values.
std::optional<std::uint64_t> time_of(std::string_view line);

// A hash with a secret: a polynomial of the line's bytes modulo 2^61 - 1. Without the secret, two chosen lines of n bytes
// collide with a chance of at most n / 2^63, and the hash of no line ever leaves the process.
class Fingerprint {
 public:
  explicit Fingerprint(std::uint64_t secret);

  std::uint64_t operator()(std::string_view line) const;

 private:
  static constexpr std::size_t lanes = 8;

  std::array<std::uint64_t, lanes + 1> powers_;  // of the secret
};

}  // namespace lanner
