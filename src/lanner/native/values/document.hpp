// One payload at a time, as the trees of a table read it: a JSON document, if all of it is valid, or a line. No Python here.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "values/values.hpp"

namespace lanner {

// Levels of objects and arrays; a deeper document is not read
inline constexpr std::size_t max_depth = 1024;

class Document {
 public:
  // simdjson reads this many bytes past the end of a payload
  static constexpr std::size_t padding = 64;

  // For trees of the table with these places, which may still grow until the first load.
  explicit Document(const Places& places);
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // Loads a payload, and returns whether it has one of the forms that the table's trees read: JSON, if there is no other.
  //
  // All of the payload must be valid JSON (RFC 8259, at most 1024 levels). It is copied: simdjson reads past the end.
  // Strings may have bytes that are not UTF-8, and halves of surrogate pairs: see values/readable.hpp.
  bool load(std::string_view payload);

  // The same without a copy: `payload` stays valid until the next load, and `padding` bytes after it can be read.
  bool load_in_place(std::string_view payload);

  // The value of a tree for the document; none without a document. Its strings stay valid until the next load, and until the arena, which
  // owns those that are not the document's, is cleared. `misfits` counts values of other types, if it is not null.
  Result read(const Value& value, const Given& given, Arena& arena, Misfits* misfits = nullptr);

  // Whether the last load had this payload, and a new load would have the same result.
  bool holds(std::string_view payload) const { return is_copied_ && payload == payload_; }

  // Whether strings of the last load's document have no UTF-8, as above.
  bool has_invalid_utf8() const { return has_invalid_utf8_; }

  // For an evaluation of trees for the last payload
  Context context(const Given& given, Arena& arena);

  // Null if the last load's payload is not JSON
  const Tape* tape() const { return valid_ ? &search_.tape() : nullptr; }

  // The text at a place, which ends with NUL; null if there is none.
  const char* text_at(std::uint32_t place) {
    const auto element = search_.at(place);
    return element != Tape::none && search_.tape().is_text(element) ? search_.tape().text(element).data() : nullptr;
  }

 private:
  struct Parsed;

  bool reads_json() const { return forms_.reads_json || !(forms_.reads_pointers || forms_.reads_lines()); }
  void begin();
  bool finish(std::string_view payload);
  void make_room(std::size_t size);
  bool parse_copy();
  bool parse_readable();

  const Forms& forms_;
  Search search_;
  std::string_view payload_;  // of the last load
  std::unique_ptr<Parsed> parsed_;
  std::vector<char> buffer_;
  std::string original_;  // the payload, if another text was parsed in its place
  std::size_t size_ = 0;
  bool valid_ = false;
  bool is_copied_ = false;
  bool has_invalid_utf8_ = false;
};

}  // namespace lanner
