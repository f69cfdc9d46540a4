#include "values/pointer.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>

#include "values/characters.hpp"
#include "values/escapes.hpp"
#include "values/json_text.hpp"

namespace lanner {
namespace {

constexpr unsigned max_nesting = 300;

// Checks a whole payload.
class Check {
 public:
  explicit Check(std::string_view payload) : at_(payload.data()), end_(payload.data() + payload.size()) {}

  bool passes() {
    if (!value(0)) return false;
    skip_blanks();
    return at_ == end_;
  }

 private:
  void skip_blanks() {
    while (at_ != end_ && is_json_blank(*at_)) ++at_;
  }

  // Whether the next character is this one, which is skipped.
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool take_word(std::string_view word) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  // The same in any case
  bool take_number_word(const char (&word)[4]) {
    if (end_ - at_ < 3) return false;
    for (int i = 0; i < 3; ++i) {
      if ((at_[i] | 0x20) != word[i]) return false;
    }
    at_ += 3;
    return true;
  }

  bool text() {
    while ((at_ = static_cast<const char*>(std::memchr(at_ + 1, '"', static_cast<std::size_t>(end_ - at_ - 1))))) {
      std::ptrdiff_t backslashes = 0;
      while (at_[-1 - backslashes] == '\\') ++backslashes;
      if (backslashes % 2 == 0) return ++at_, true;
    }
    at_ = end_;
    return false;
  }

  bool number() {
    const char* const begin = at_;
    while (at_ != end_ && ((*at_ >= '0' && *at_ <= '9') || std::strchr(".-+eE", *at_) != nullptr) && *at_) ++at_;
    if (at_ == end_) return true;
    const bool has_sign_alone = at_ == begin + 1 && (*begin == '-' || *begin == '+');
    return (at_ != begin && !has_sign_alone) || take_number_word("inf") || take_number_word("nan");
  }

  bool value(unsigned depth) {
    if (at_ == end_ || ++depth > max_nesting) return false;
    switch (*at_) {
      case '{':
        return each('}', [&] {
          if (at_ == end_ || *at_ != '"' || !text()) return false;
          skip_blanks();
          if (!take(':')) return false;
          skip_blanks();
          return value(depth);
        });
      case '[':
        return each(']', [&] { return value(depth); });
      case '"':
        return text();
      case 't':
        return take_word("true");
      case 'f':
        return take_word("false");
      case 'n':
        return take_word("null") || take_number_word("nan");
      default:
        return number();
    }
  }

  // The items of an array or object up to its end.
  template <typename Item>
  bool each(char end, Item&& item) {
    ++at_;
    skip_blanks();
    if (take(end)) return true;
    for (;;) {
      skip_blanks();
      if (!item()) return false;
      skip_blanks();
      if (take(end)) return true;
      if (!take(',')) return false;
    }
  }

  const char* at_;
  const char* const end_;
};

std::string_view compact_json(std::string_view json, Arena& arena) {
  if (std::none_of(json.begin(), json.end(), is_json_blank)) return json;
  auto& to = arena.take();
  bool in_text = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (!in_text && is_json_blank(c)) continue;
    to.push_back(c);
    if (c == '"') in_text = !in_text;
    if (in_text && c == '\\') to.push_back(json[++at]);
  }
  return to;
}

// A part of the pointer: ~1 is a slash, then ~0 is a tilde.
std::string_view part_name(std::string_view part, Arena& arena) {
  if (part.find('~') == std::string_view::npos) return part;
  auto& name = arena.take();
  const auto replace = [&](std::string_view from, char to) {
    for (auto at = name.find(from); at != std::string::npos; at = name.find(from, at + 1)) name.replace(at, from.size(), 1, to);
  };
  name = part;
  replace("~1", '/');
  replace("~0", '~');
  return name;
}

std::optional<std::uint64_t> item_number(std::string_view part) {
  const bool is_negative = part.starts_with('-');
  if (is_negative || part.starts_with('+')) part.remove_prefix(1);
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), number);
  if (part.empty() || error != std::errc{} || stop != part.data() + part.size()) return std::nullopt;
  return is_negative && number != 0 ? std::nullopt : std::optional(number);
}

// A name that is written without escapes comes before others that are equal.
std::optional<Span> find_member(const JsonText& json, Span object, std::string_view name, Arena& arena) {
  std::optional<Span> plain;
  std::optional<Span> escaped;
  json.each_member(object, [&](Span key, Span value) {
    const auto written = json.of(key);
    if (!plain && written == name && name.find('\\') == std::string_view::npos) plain = value;
    if (!escaped && unescaped(written, arena) == name) escaped = value;
  });
  return plain ? plain : escaped;
}

}  // namespace

bool has_pointers(std::string_view payload) { return (payload.starts_with('{') || payload.starts_with('[')) && Check(payload).passes(); }

std::optional<std::string_view> at_pointer(std::string_view payload, std::string_view pointer, Arena& arena) {
  const JsonText json(payload);
  std::optional<Span> place = json.value(0);
  const bool is_whole = pointer.empty();
  if (pointer.starts_with('/')) pointer.remove_prefix(1);
  for (bool is_last = is_whole; !is_last;) {
    const auto slash = pointer.find('/');
    const auto part = part_name(pointer.substr(0, slash), arena);
    is_last = slash == std::string_view::npos;
    if (!is_last) pointer.remove_prefix(slash + 1);
    if (json.first(*place) == '{') {
      place = find_member(json, *place, part, arena);
    } else if (const auto number = json.first(*place) == '[' ? item_number(part) : std::nullopt) {
      place = json.item(*place, *number);
    } else {
      return std::nullopt;
    }
    if (!place) return std::nullopt;
  }
  const auto written = json.of(*place);
  const auto text = written[0] == '"' ? unescaped(written.substr(1, written.size() - 2), arena) : compact_json(written, arena);
  return text.substr(0, text.find('\0'));
}

}  // namespace lanner
