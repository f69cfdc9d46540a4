#include "document.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lanner {
namespace {

constexpr std::size_t max_depth = 1024;
// What one large payload took is given back when the next ones are small
constexpr std::size_t kept_capacity = 1 << 20;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_number_char(char c) { return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }

// RFC 8259, section 6
bool is_number(const char* at, const char* end) {
  const auto digits = [&] {
    const char* begin = at;
    while (at != end && is_digit(*at)) ++at;
    return at != begin;
  };
  if (at != end && *at == '-') ++at;
  if (at != end && *at == '0') {
    ++at;
  } else if (!digits()) {
    return false;
  }
  if (at != end && *at == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    if (!digits()) return false;
  }
  return at == end;
}

bool fits(const char* at, const char* end) {
  std::uint64_t natural;
  std::int64_t integer;
  const auto whole = [&](auto& number) {
    const auto [stop, error] = std::from_chars(at, end, number);
    return error == std::errc{} && stop == end;
  };
  return *at == '-' ? whole(integer) : whole(natural);
}

// After the text that begins at `at`, or at the end.
template <typename Char>
Char* after_text(Char* at, const char* end) {
  for (++at; at != end && *at != '"'; ++at) {
    if (*at == '\\' && at + 1 != end) ++at;
  }
  return at == end ? at : at + 1;
}

// Whether brackets nest more than max_depth deep. simdjson lets an innermost empty one pass, so its own limit is one more.
bool is_too_deep(const char* at, const char* end) {
  // a payload with so few brackets need not be looked at again
  if (end - at <= static_cast<std::ptrdiff_t>(max_depth) || std::count(at, end, '[') + std::count(at, end, '{') <= static_cast<std::ptrdiff_t>(max_depth)) {
    return false;
  }
  std::size_t depth = 0;
  while (at != end) {
    if (*at == '"') {
      at = after_text(at, end);
      continue;
    }
    if (*at == '[' || *at == '{') {
      if (++depth > max_depth) return true;
    } else if ((*at == ']' || *at == '}') && depth) {
      --depth;
    }
    ++at;
  }
  return false;
}

// simdjson refuses numbers that fit neither 64 bits nor a double, which JSON does not. No field can read those, nor any
// double: put null in their places. Numbers of fewer than four characters always fit. And it makes 0 of -0, which is no
// unsigned number: put -1 there.
bool rewrite_numbers(char* at, char* end) {
  bool changed = false;
  while (at != end) {
    if (*at == '"') {
      at = after_text(at, end);
    } else if (*at == '-' || is_digit(*at)) {
      char* const begin = at;
      while (at != end && is_number_char(*at)) ++at;
      if (at - begin >= 4 && is_number(begin, at) && !fits(begin, at)) {
        std::memset(begin, ' ', static_cast<std::size_t>(at - begin));
        std::memcpy(begin, "null", 4);
        changed = true;
      } else if (at - begin == 2 && std::memcmp(begin, "-0", 2) == 0) {
        begin[1] = '1';
        changed = true;
      }
    } else {
      ++at;
    }
  }
  return changed;
}

}  // namespace

bool Document::load(std::string_view payload) {
  const auto size = payload.size();
  if (buffer_.size() < size + simdjson::SIMDJSON_PADDING || (buffer_.size() > kept_capacity && size < kept_capacity / 4)) {
    buffer_.assign(size + size / 2 + simdjson::SIMDJSON_PADDING, '\0');
    buffer_.shrink_to_fit();
    if (parser_.capacity() > kept_capacity && size < kept_capacity / 4) parser_ = simdjson::dom::parser();
  }
  std::memcpy(buffer_.data(), payload.data(), size);
  std::memset(buffer_.data() + size, ' ', simdjson::SIMDJSON_PADDING);
  valid_ = parse(size);
  return valid_;
}

bool Document::parse(std::size_t size) {
  if (size == 0) return false;
  // simdjson would skip it; RFC 8259 leaves that open, and Python's decoders refuse it
  if (size >= 3 && std::memcmp(buffer_.data(), "\xEF\xBB\xBF", 3) == 0) return false;
  if (parser_.max_depth() != max_depth + 1 || parser_.capacity() < size) {
    if (parser_.allocate(buffer_.size(), max_depth + 1)) return false;
  }
  char* const end = buffer_.data() + size;
  if (is_too_deep(buffer_.data(), end)) return false;
  if (std::string_view(buffer_.data(), size).find("-0") != std::string_view::npos) rewrite_numbers(buffer_.data(), end);
  auto error = parser_.parse(buffer_.data(), size, false).get(root_);
  if (error == simdjson::NUMBER_ERROR && rewrite_numbers(buffer_.data(), end)) {
    error = parser_.parse(buffer_.data(), size, false).get(root_);
  }
  return !error;
}

}  // namespace lanner
