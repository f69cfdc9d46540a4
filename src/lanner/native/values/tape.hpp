// A parsed document, as simdjson stores it: a word for each value and name, and a second one after that of a number. The first byte of a
// word is its type. Strings are elsewhere: their size, their bytes and a NUL. No Python here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace lanner {

// The name of a member to look for. Names are stored with their size before them. Two words have the size and the first four and last
// eight bytes, so that most names are compared without a call.
class MemberName {
 public:
  explicit MemberName(std::string_view text) : text_(text), begin_(text.size()) {
    const auto sized = std::string_view(text).substr(0, begin_bytes);
    for (std::size_t at = 0; at < sized.size(); ++at)
      begin_ |= std::uint64_t{static_cast<unsigned char>(text[at])} << 8 * (size_bytes + at);
    if (text.size() < begin_bytes) known_ >>= 8 * (begin_bytes - text.size());
    if (text.size() >= sizeof end_) std::memcpy(&end_, text.data() + text.size() - sizeof end_, sizeof end_);
  }

  bool equals(const char* stored) const {
    // little-endian, as are all machines that Lanner supports
    if ((word(stored) & known_) != begin_) return false;
    const auto size = text_.size();
    if (size <= begin_bytes) return true;
    if (size < sizeof end_ || size > begin_bytes + sizeof end_) return std::memcmp(stored + size_bytes, text_.data(), size) == 0;
    return word(stored + size_bytes + size - sizeof end_) == end_;
  }

 private:
  static constexpr std::size_t size_bytes = sizeof(std::uint32_t);
  static constexpr std::size_t begin_bytes = 4;
  static std::uint64_t word(const char* at) {
    std::uint64_t result;
    std::memcpy(&result, at, sizeof result);
    return result;
  }

  std::string_view text_;
  std::uint64_t begin_;
  std::uint64_t known_ = ~std::uint64_t{0};  // the bits of `begin_` that a short name has
  std::uint64_t end_ = 0;
};

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

  // Where the size of a string or a name is, its bytes and a NUL; at least seven more bytes can be read.
  const char* stored(std::uint32_t element) const { return texts_ + (words_[element] & 0x00FF'FFFF'FFFF'FFFF); }

  std::string_view text(std::uint32_t element) const {
    const char* const place = stored(element);
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
    const auto kind = type(element);
    if (kind == '"') [[likely]]
      return element + 1;
    if (kind == 'l' || kind == 'u' || kind == 'd') return element + 2;
    return kind == '{' || kind == '[' ? static_cast<std::uint32_t>(words_[element]) : element + 1;
  }

  // Calls take(stored name, element of its value) for each member of an object.
  template <typename Take>
  void each_member(std::uint32_t object, Take&& take) const {
    constexpr auto type_of_text = std::uint64_t{'"'} << 56;
    const auto* const stop = words_ + end(object);
    for (const auto* name = words_ + first(object); name != stop;) {
      const auto* const value = name + 1;
      const auto element = static_cast<std::uint32_t>(value - words_);
      take(reinterpret_cast<const char*>(texts_ + (*name - type_of_text)), element);  // a name's word has its type as well
      name = reinterpret_cast<const char*>(value)[7] == '"' ? value + 1 : words_ + after(element);
    }
  }

  // The member of an object or the item of an array, or none
  std::uint32_t member(std::uint32_t object, const MemberName& name) const {
    std::uint32_t last = none;  // of equal names the last counts
    if (!is_object(object)) return none;
    each_member(object, [&last, name](const char* stored, std::uint32_t value) {
      if (name.equals(stored)) last = value;
    });
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
