// What tells apart two lines of one moment. No Python here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lanner {

// The event's time, ns since 1970: the number of the line's last member "timeNano". None: the line tells no time.
//
// Quotes within a JSON text are escaped, so what is found is a member's name; and labels have texts as values.
std::optional<std::uint64_t> time_of(std::string_view line);

// A hash with a secret key: a polynomial of the line's bytes modulo 2^61 - 1. Two lines of n bytes, made without the key, collide with a
// chance of n / 2^63. No hash leaves the process.
class Fingerprint {
 public:
  explicit Fingerprint(std::uint64_t secret);

  std::uint64_t operator()(std::string_view line) const;

 private:
  static constexpr std::size_t lanes = 8;

  std::array<std::uint64_t, lanes + 1> powers_;  // of the secret
};

}  // namespace lanner
