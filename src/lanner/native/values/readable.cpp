#include "values/readable.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include <simdjson.h>

#include "values/utf8.hpp"

namespace lanner {
namespace {

// The byte b is U+10FF00 + b. The payload's own characters from there to U+10FFFF are written as their four bytes.
constexpr std::uint32_t first_byte = 0x10FF00;

class Output {
 public:
  explicit Output(std::size_t size) { bytes_.reserve(size + size / 8 + simdjson::SIMDJSON_PADDING); }

  void text(std::string_view text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }
  void stand_in(char byte) {
    const auto number = static_cast<unsigned char>(byte);
    text("\xF4\x8F");
    bytes_.push_back(static_cast<char>(0xBC | number >> 6));
    bytes_.push_back(static_cast<char>(0x80 | (number & 0x3F)));
  }
  void stand_ins(std::string_view text) {
    for (const char byte : text) stand_in(byte);
  }
  std::vector<char> take() {
    bytes_.insert(bytes_.end(), simdjson::SIMDJSON_PADDING, ' ');
    return std::move(bytes_);
  }

 private:
  std::vector<char> bytes_;
};

bool is_stand_in(std::string_view text) {
  return text.size() >= 4 && text.starts_with("\xF4\x8F") && static_cast<unsigned char>(text[2]) >= 0xBC;
}

// The number in \uXXXX at the beginning of a string.
std::optional<std::uint32_t> escaped(std::string_view text) {
  if (text.size() < 6 || !text.starts_with("\\u")) return std::nullopt;
  std::uint32_t number = 0;
  for (const char c : text.substr(2, 4)) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
    if (digit < 0) return std::nullopt;
    number = number << 4 | static_cast<std::uint32_t>(digit);
  }
  return number;
}

bool is_high(std::uint32_t number) { return number >= 0xD800 && number <= 0xDBFF; }
bool is_low(std::uint32_t number) { return number >= 0xDC00 && number <= 0xDFFF; }

// Writes the escape at the beginning of `rest`, and returns its length.
std::size_t write_escape(std::string_view rest, Output& output) {
  const auto number = escaped(rest);
  if (!number || !(is_high(*number) || is_low(*number))) {
    // the next byte is not the beginning of another escape
    const std::size_t size = rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0x80 ? 2 : 1;
    output.text(rest.substr(0, size));
    return size;
  }
  const auto next = escaped(rest.substr(6));
  if (!is_high(*number) || !next || !is_low(*next)) {
    output.text("\\");
    output.text(rest.substr(0, 6));
    return 6;
  }
  const auto whole = 0x10000 + ((*number - 0xD800) << 10) + (*next - 0xDC00);
  if (whole >= first_byte) {
    const char bytes[] = {'\xF4', '\x8F', static_cast<char>(0x80 | (whole >> 6 & 0x3F)), static_cast<char>(0x80 | (whole & 0x3F))};
    output.stand_ins({bytes, sizeof bytes});
  } else {
    output.text(rest.substr(0, 12));
  }
  return 12;
}

// Replaces the characters by their bytes, and returns the new size.
std::size_t restore(char* text, std::size_t size) {
  char* to = text;
  for (std::size_t at = 0; at < size;) {
    const std::string_view rest(text + at, size - at);
    if (is_stand_in(rest)) {
      *to++ = static_cast<char>((rest[2] & 0x03) << 6 | (rest[3] & 0x3F));
      at += 4;
    } else {
      *to++ = rest[0];
      ++at;
    }
  }
  return static_cast<std::size_t>(to - text);
}

}  // namespace

std::vector<char> make_readable(std::string_view payload) {
  Output output(payload.size());
  const auto is_plain = [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != '\\'; };
  while (!payload.empty()) {
    std::size_t size = 1;
    if (is_plain(payload[0])) {
      size = static_cast<std::size_t>(std::find_if_not(payload.begin(), payload.end(), is_plain) - payload.begin());
      output.text(payload.substr(0, size));
    } else if (payload[0] == '\\') {
      size = write_escape(payload, output);
    } else if (const auto length = utf8_character(payload); length == 0) {
      output.stand_in(payload[0]);
    } else if (is_stand_in(payload)) {
      output.stand_ins(payload.substr(0, size = 4));
    } else {
      output.text(payload.substr(0, size = length));
    }
    payload.remove_prefix(size);
  }
  return output.take();
}

void restore_bytes(simdjson::dom::document& document) {
  // the tape has a word for each value and name, and another one after that of a number; a string is its size, its bytes and a NUL
  constexpr std::uint64_t payload_mask = 0x00FF'FFFF'FFFF'FFFF;
  const auto* tape = document.tape.get();
  const std::uint64_t end = tape[0] & payload_mask;
  for (std::uint64_t at = 1; at < end; ++at) {
    const char type = static_cast<char>(tape[at] >> 56);
    if (type == 'l' || type == 'u' || type == 'd') ++at;
    if (type != '"') continue;
    auto* const place = document.string_buf.get() + (tape[at] & payload_mask);
    std::uint32_t size;
    std::memcpy(&size, place, sizeof size);
    auto* const text = reinterpret_cast<char*>(place) + sizeof size;
    const auto restored = static_cast<std::uint32_t>(restore(text, size));
    if (restored == size) continue;
    std::memcpy(place, &restored, sizeof restored);
    text[restored] = 0;
  }
}

}  // namespace lanner
