// An event's time as text: the native form of lanner.rules.output.times. No Python here.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace lanner {

enum class ClockText : std::uint8_t { time, time_seconds, iso8601, datetime, datetime_seconds };

class Clock {
 public:
  // Appends the text of a time (ns since 1970) to `text`.
  void append(ClockText shape, std::uint64_t time, std::string& text);

 private:
  struct SecondText {
    std::uint64_t second = 0;
    std::string text;  // of that second; empty before the first
  };
  std::array<SecondText, 3> known_;
};

}  // namespace lanner
