#include "values/dates.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "values/characters.hpp"

namespace lanner {
namespace {

constexpr std::uint64_t second_size = 1'000'000'000;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// A string that is read from its beginning; after a failure every further step fails.
class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }
  char next() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool skip(std::string_view any) {
    const bool found = ok_ && !rest_.empty() && any.find(rest_.front()) != std::string_view::npos;
    if (found) rest_.remove_prefix(1);
    return found;
  }
  void expect(std::string_view any) { ok_ = skip(any); }
  void expect_blanks() {
    expect(" ");
    while (skip(" ")) continue;
  }
  // A number of this many digits
  int number(int least, int most) {
    int value = 0;
    int count = 0;
    for (; ok_ && count < most && !rest_.empty() && is_digit(rest_.front()); ++count) {
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    ok_ = ok_ && count >= least;
    return value;
  }
  // The nanoseconds of a fraction's digits
  std::uint64_t fraction() {
    std::uint64_t value = 0;
    int count = 0;
    for (; ok_ && !rest_.empty() && is_digit(rest_.front()); ++count) {
      if (count < 9) value = value * 10 + static_cast<std::uint64_t>(rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    for (int place = count; place < 9; ++place) value *= 10;
    ok_ = ok_ && count > 0;
    return value;
  }
  // The number of the word among these of three letters, from 0
  int word(std::string_view words, bool folds) {
    for (std::size_t at = 0; ok_ && rest_.size() >= 3 && at < words.size(); at += 3) {
      const bool is_equal = std::equal(rest_.begin(), rest_.begin() + 3, words.begin() + static_cast<std::ptrdiff_t>(at),
                                       [&](char one, char other) { return folds ? lower(one) == lower(other) : one == other; });
      if (is_equal) {
        rest_.remove_prefix(3);
        return static_cast<int>(at / 3);
      }
    }
    ok_ = false;
    return 0;
  }
  bool ends_with_word(std::string_view word) {
    const bool found = ok_ && rest_.size() == word.size() && std::equal(rest_.begin(), rest_.end(), word.begin(), [](char one, char other) {
                         return lower(one) == lower(other);
                       });
    if (found) rest_ = {};
    return found;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

constexpr std::string_view days = "MonTueWedThuFriSatSun";
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct Moment {
  int year = 0;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::uint64_t nanoseconds = 0;
  int offset = 0;  // seconds ahead of UTC
};

// Days since 1970 in the Gregorian calendar, whose years begin in March here
std::int64_t days_since_1970(int year, int month, int day) {
  const std::int64_t shifted = year - (month <= 2);
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
  const std::int64_t year_of_era = shifted - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

std::optional<std::uint64_t> nanoseconds(const Moment& moment) {
  constexpr int sizes[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (moment.year < 1 || moment.month < 1 || moment.month > 12) return std::nullopt;
  const bool is_leap = moment.year % 4 == 0 && (moment.year % 100 != 0 || moment.year % 400 == 0);
  const int size = sizes[moment.month - 1] + (moment.month == 2 && is_leap);
  // 60: a leap second
  if (moment.day < 1 || moment.day > size || moment.hour > 23 || moment.minute > 59 || moment.second > 60) return std::nullopt;
  const std::int64_t seconds = (days_since_1970(moment.year, moment.month, moment.day) * 24 + moment.hour) * 3600 +
                               std::int64_t{moment.minute} * 60 + moment.second - moment.offset;
  std::uint64_t result;
  if (seconds < 0 || __builtin_mul_overflow(static_cast<std::uint64_t>(seconds), second_size, &result) ||
      __builtin_add_overflow(result, moment.nanoseconds, &result))
    return std::nullopt;
  return result;
}

// Hours and minutes ahead of UTC; the minutes may be missing if `is_short`, and the colon is `colon` (one of these, or none).
bool read_offset(Scan& scan, Moment& moment, bool is_short, bool has_colon, bool may_lack_colon) {
  const bool is_behind = scan.next() == '-';
  scan.expect("+-");
  const int hours = scan.number(2, 2);
  int minutes = 0;
  if (!is_short || !scan.at_end()) {
    const bool colon = has_colon && scan.skip(":");
    if (has_colon && !colon && !may_lack_colon) return false;
    minutes = scan.number(2, 2);
  }
  moment.offset = (is_behind ? -1 : 1) * (hours * 60 + minutes) * 60;
  return scan.ok() && hours <= 23 && minutes <= 59;
}

bool read_rfc3339(Scan& scan, Moment& moment) {
  moment.year = scan.number(4, 4);
  scan.expect("-");
  moment.month = scan.number(2, 2);
  scan.expect("-");
  moment.day = scan.number(2, 2);
  scan.expect("Tt ");
  moment.hour = scan.number(2, 2);
  scan.expect(":");
  moment.minute = scan.number(2, 2);
  scan.expect(":");
  moment.second = scan.number(2, 2);
  if (scan.skip(".")) moment.nanoseconds = scan.fraction();
  return scan.skip("Zz") || read_offset(scan, moment, false, true, false);
}

bool read_iso8601(Scan& scan, Moment& moment) {
  moment.year = scan.number(4, 4);
  const bool is_basic = !scan.skip("-");
  moment.month = scan.number(2, 2);
  if (!is_basic) scan.expect("-");
  moment.day = scan.number(2, 2);
  if (scan.at_end()) return !is_basic;
  scan.expect(is_basic ? "Tt" : "Tt ");
  moment.hour = scan.number(2, 2);
  if (!is_basic) scan.expect(":");
  moment.minute = scan.number(2, 2);
  if (is_basic ? is_digit(scan.next()) : scan.skip(":")) {
    moment.second = scan.number(2, 2);
    if (scan.skip(".,")) moment.nanoseconds = scan.fraction();
  }
  return scan.ok() && (scan.at_end() || scan.skip("Zz") || read_offset(scan, moment, true, true, true));
}

bool read_rfc2822(Scan& scan, Moment& moment) {
  if (!is_digit(scan.next())) {
    scan.word(days, true);
    scan.expect(",");
    while (scan.skip(" ")) continue;
  }
  moment.day = scan.number(1, 2);
  scan.expect_blanks();
  moment.month = scan.word(months, true) + 1;
  scan.expect_blanks();
  moment.year = scan.number(4, 4);
  scan.expect_blanks();
  moment.hour = scan.number(2, 2);
  scan.expect(":");
  moment.minute = scan.number(2, 2);
  if (scan.skip(":")) moment.second = scan.number(2, 2);
  scan.expect_blanks();
  for (const auto* const name : {"GMT", "UTC", "UT"}) {
    if (scan.ends_with_word(name)) return true;
  }
  return read_offset(scan, moment, false, false, true);
}

// Day, month and year with a separator, and after another one the time of day
void read_fixed(Scan& scan, Moment& moment, std::string_view separator, std::string_view before_time) {
  moment.day = scan.number(2, 2);
  scan.expect(separator);
  moment.month = scan.word(months, false) + 1;
  scan.expect(separator);
  moment.year = scan.number(4, 4);
  scan.expect(before_time);
  moment.hour = scan.number(2, 2);
  scan.expect(":");
  moment.minute = scan.number(2, 2);
  scan.expect(":");
  moment.second = scan.number(2, 2);
  scan.expect(" ");
}

bool read_http(Scan& scan, Moment& moment) {
  scan.word(days, false);
  scan.expect(",");
  scan.expect(" ");
  read_fixed(scan, moment, " ", " ");
  for (const char c : {'G', 'M', 'T'}) scan.expect({&c, 1});
  return scan.ok();
}

// The Common Log Format of web servers
bool read_clf(Scan& scan, Moment& moment) {
  read_fixed(scan, moment, "/", ":");
  return read_offset(scan, moment, false, false, true);
}

}  // namespace

std::optional<DateForm> date_form_of(std::string_view name) {
  if (name == "rfc3339") return DateForm::rfc3339;
  if (name == "iso8601") return DateForm::iso8601;
  if (name == "rfc2822") return DateForm::rfc2822;
  if (name == "http-date") return DateForm::http;
  if (name == "clf") return DateForm::clf;
  return std::nullopt;
}

std::optional<std::uint64_t> count_of(std::string_view text, std::uint64_t factor) {
  // 20 digits suffice for every unsigned 64-bit integer; longer strings with leading zeros do not occur
  constexpr std::ptrdiff_t most = 20;
  const char* const end = text.data() + text.size();
  const char* const point = std::find_if_not(text.data(), end, is_digit);
  std::uint64_t value = 0;
  if (point == text.data() || point - text.data() > most || std::from_chars(text.data(), point, value).ec != std::errc{})
    return std::nullopt;
  if (__builtin_mul_overflow(value, factor, &value)) return std::nullopt;
  if (point == end) return value;
  if (*point != '.' || factor == 1 || point + 1 == end || !std::all_of(point + 1, end, is_digit)) return std::nullopt;
  for (const char* at = point + 1; at != end && factor > 1; ++at) {
    factor /= 10;
    if (__builtin_add_overflow(value, factor * static_cast<std::uint64_t>(*at - '0'), &value)) return std::nullopt;
  }
  return value;
}

std::optional<std::uint64_t> time_of(std::string_view text, DateForm form) {
  Scan scan(text);
  Moment moment;
  bool found = false;
  switch (form) {
    case DateForm::units:
      return std::nullopt;
    case DateForm::rfc3339:
      found = read_rfc3339(scan, moment);
      break;
    case DateForm::iso8601:
      found = read_iso8601(scan, moment);
      break;
    case DateForm::rfc2822:
      found = read_rfc2822(scan, moment);
      break;
    case DateForm::http:
      found = read_http(scan, moment);
      break;
    case DateForm::clf:
      found = read_clf(scan, moment);
      break;
  }
  return found && scan.at_end() ? nanoseconds(moment) : std::nullopt;
}

}  // namespace lanner
