#include "rules/clock.hpp"

#include <time.h>

#include <cstdio>

namespace lanner {
namespace {

constexpr std::uint64_t second_in_ns = 1'000'000'000;
constexpr const char* shapes[] = {"%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"};
constexpr std::size_t utc = 2;

std::size_t shape_of(ClockText text) {
  return text == ClockText::iso8601 ? utc : text == ClockText::datetime || text == ClockText::datetime_seconds ? 1 : 0;
}

}  // namespace

void Clock::append(ClockText shape, std::uint64_t time, std::string& text) {
  const auto number = shape_of(shape);
  auto& known = known_[number];
  if (known.text.empty() || known.second != time / second_in_ns) {
    known.second = time / second_in_ns;
    const auto seconds = static_cast<time_t>(known.second);
    struct tm parts{};
    number == utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts);
    char made[64];
    known.text.assign(made, strftime(made, sizeof made, shapes[number], &parts));
  }
  text += known.text;
  if (shape == ClockText::time_seconds || shape == ClockText::datetime_seconds) return;
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%09u", static_cast<unsigned>(time % second_in_ns));
  text += fraction;
  if (shape == ClockText::iso8601) text += "+0000";
}

}  // namespace lanner
