// The text of a JSON document, walked without checks: all of it was found valid before. No Python here.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace lanner {

// A part of a payload
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t size = 0;
};

class JsonText {
 public:
  explicit JsonText(std::string_view all) : all_(all) {}

  // The value that begins at or after `at`, without blanks around it.
  Span value(std::size_t at) const {
    at = skip_blanks(at);
    return {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(after_value(at) - at)};
  }

  // Calls take(key, value) with the spans of each member's key, between its quotes, and of its value.
  template <typename Take>
  void each_member(Span object, Take&& take) const {
    for (std::size_t at = object.begin; (at = next_item(at, '}'));) {
      const Span key = value(at);
      at = skip_blanks(key.begin + key.size) + 1;
      const Span item = value(at);
      take(Span{key.begin + 1, key.size - 2}, item);
      at = item.begin + item.size;
    }
  }

  std::optional<Span> item(Span array, std::uint64_t number) const {
    for (std::size_t at = array.begin; (at = next_item(at, ']'));) {
      const Span each = value(at);
      if (number-- == 0) return each;
      at = each.begin + each.size;
    }
    return std::nullopt;
  }

  std::string_view of(Span span) const { return all_.substr(span.begin, span.size); }
  char first(Span span) const { return all_[span.begin]; }

 private:
  std::size_t skip_blanks(std::size_t at) const {
    while (at < all_.size() && std::memchr(" \t\n\r", all_[at], 4)) ++at;
    return at;
  }

  // The offset after the next bracket or comma; 0 at the end of the object or array.
  std::size_t next_item(std::size_t at, char end) const {
    at = skip_blanks(at);
    if (at >= all_.size() || all_[at] == end) return 0;
    const std::size_t next = skip_blanks(at + 1);
    return next >= all_.size() || all_[next] == end ? 0 : next;
  }

  std::size_t after_text(std::size_t at) const {
    for (++at; at < all_.size() && all_[at] != '"'; ++at) {
      if (all_[at] == '\\') ++at;
    }
    return at + 1;
  }

  std::size_t after_value(std::size_t at) const {
    std::size_t depth = 0;
    do {
      if (at >= all_.size()) return all_.size();
      const char c = all_[at];
      if (c == '"') {
        at = after_text(at);
      } else {
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        ++at;
        if (!depth && !std::strchr("{}[]", c)) {
          while (at < all_.size() && !std::memchr(",]} \t\n\r", all_[at], 7)) ++at;
        }
      }
    } while (depth);
    return at;
  }

  const std::string_view all_;
};

}  // namespace lanner
