// A parsed document, as simdjson stores it: a word for each value and name, and a second one after that of a number. The first byte of a
// word is its type. Texts are elsewhere: their size, their bytes and a NUL. No Python here.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace lanner {

class Tape {
 public:
  // Elements are the numbers of their words.
  static constexpr std::uint32_t none = 0;
  static constexpr std::uint32_t document = 1;

  Tape() = default;
  Tape(const std::uint64_t* words, const std::uint8_t* texts) : words_(words), texts_(reinterpret_cast<const char*>(texts)) {}

  // { [ " t f n, or of numbers: l (signed), u (unsigned), d (a double)
  char type(std::uint32_t element) const { return static_cast<char>(words_[element] >> 56); }
  bool is_number(std::uint32_t element) const { return type(element) == 'l' || type(element) == 'u' || type(element) == 'd'; }
  bool is_object(std::uint32_t element) const { return type(element) == '{'; }
  bool is_array(std::uint32_t element) const { return type(element) == '['; }
  bool is_text(std::uint32_t element) const { return type(element) == '"'; }

  // A text or a name; a NUL follows it, and at least seven more bytes can be read.
  std::string_view text(std::uint32_t element) const {
    const char* const place = texts_ + (words_[element] & 0x00FF'FFFF'FFFF'FFFF);
    std::uint32_t size;
    std::memcpy(&size, place, sizeof size);
    return {place + sizeof size, size};
  }

  // Whether it is an integer from 0 to 2^64 - 1.
  bool is_unsigned(std::uint32_t element) const {
    return type(element) == 'u' || (type(element) == 'l' && static_cast<std::int64_t>(words_[element + 1]) >= 0);
  }
  std::uint64_t number(std::uint32_t element) const { return words_[element + 1]; }

  // Of an object each name is before its value.
  std::uint32_t first(std::uint32_t container) const { return container + 1; }
  std::uint32_t end(std::uint32_t container) const { return static_cast<std::uint32_t>(words_[container]) - 1; }
  std::uint32_t after(std::uint32_t element) const {
    switch (type(element)) {
      case '{':
      case '[':
        return static_cast<std::uint32_t>(words_[element]);
      case 'l':
      case 'u':
      case 'd':
        return element + 2;
      default:
        return element + 1;
    }
  }

  // The member of an object or the item of an array, or none
  std::uint32_t member(std::uint32_t object, std::string_view name) const {
    std::uint32_t last = none;  // of equal names the last counts
    if (!is_object(object)) return none;
    for (std::uint32_t each = first(object), stop = end(object); each != stop; each = after(each + 1)) {
      if (text(each) == name) last = each + 1;
    }
    return last;
  }
  std::uint32_t item(std::uint32_t array, std::uint64_t index) const {
    if (!is_array(array)) return none;
    for (std::uint32_t each = first(array), stop = end(array); each != stop; each = after(each)) {
      if (index-- == 0) return each;
    }
    return none;
  }

 private:
  const std::uint64_t* words_ = nullptr;
  const char* texts_ = nullptr;
};

}  // namespace lanner
