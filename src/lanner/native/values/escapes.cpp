#include "values/escapes.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace lanner {
namespace {

void append_character(std::string& to, std::uint32_t code) {
  const auto add = [&](std::uint32_t byte) { to.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      add(0xE0 | code >> 12);
    } else {
      add(0xF0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3F));
    }
    add(0x80 | (code >> 6 & 0x3F));
  }
  add(0x80 | (code & 0x3F));
}

std::optional<std::uint32_t> hexadecimal(std::string_view digits) {
  std::uint32_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return digits.size() == 4 && error == std::errc{} && stop == digits.data() + 4 ? std::optional(number) : std::nullopt;
}

// Appends the character of an escape whose four digits are at the beginning of `rest`, and returns how much of it was used.
std::size_t append_escape(std::string& to, std::string_view rest) {
  const auto code = hexadecimal(rest.substr(0, 4));
  if (!code) {
    to += "\\u";
    return 0;
  }
  if (*code < 0xD800 || *code > 0xDFFF) {
    append_character(to, *code);
    return 4;
  }
  const auto next = rest.size() >= 10 && rest.substr(4, 2) == "\\u" ? hexadecimal(rest.substr(6, 4)) : std::nullopt;
  if (!next) {
    to += "\\u";
    to += rest.substr(0, 4);
    return 4;
  }
  const bool is_pair = *code < 0xDC00 && *next >= 0xDC00 && *next <= 0xDFFF;
  append_character(to, is_pair ? 0x10000 + ((*code - 0xD800) << 10) + (*next - 0xDC00) : 0xFFFD);
  return 10;
}

}  // namespace

std::string_view unescaped(std::string_view text, Arena& arena) {
  auto at = text.find('\\');
  if (at == std::string_view::npos) return text;
  auto& to = arena.take();
  for (; at != std::string_view::npos; at = text.find('\\')) {
    to += text.substr(0, at);
    if (at + 1 == text.size()) return to;
    const char c = text[at + 1];
    text.remove_prefix(at + 2);
    constexpr std::string_view escapes = "\"\\/bfnrt";
    if (const auto place = escapes.find(c); place != std::string_view::npos) {
      to.push_back("\"\\/\b\f\n\r\t"[place]);
    } else if (c == 'u') {
      text.remove_prefix(append_escape(to, text));
    } else {
      to.push_back('\\');
      to.push_back(c);
    }
  }
  to += text;
  return to;
}

}  // namespace lanner
