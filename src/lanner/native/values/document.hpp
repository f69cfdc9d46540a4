// One payload at a time as a JSON document, if all of it is valid. No Python here.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "values/values.hpp"

namespace lanner {

class Document {
 public:
  // For trees of the table with these places, which may still grow until the first load.
  explicit Document(const Places& places) : search_(places) {}

  // Returns whether all of `payload` is valid JSON (RFC 8259, at most 1024 levels). It is copied: simdjson reads past the end.
  // Texts may have bytes that are not UTF-8, and halves of surrogate pairs: see values/readable.hpp.
  bool load(std::string_view payload);

  // The same without a copy: `payload` stays valid until the next load, and SIMDJSON_PADDING bytes after it can be read.
  bool load_in_place(std::string_view payload);

  // The value of a tree for the document; none without a document. Its texts stay valid until the next load, and until the arena, which
  // owns those that are not the document's, is cleared.
  Result read(const Value& value, const Given& given, Arena& arena);

  // Whether the last load had this payload, and a new load would have the same result.
  bool holds(std::string_view payload) const;

  // Whether texts of the last load's document have no UTF-8, as above.
  bool has_invalid_utf8() const { return has_invalid_utf8_; }

  // The places of the last load's document; null if it failed.
  Search* search() { return valid_ ? &search_ : nullptr; }

 private:
  void make_room(std::size_t size);
  void rewrite(char* end);
  bool load_readable();
  simdjson::error_code parse(const char* data, std::size_t size, std::size_t depth);

  simdjson::dom::parser parser_;
  std::vector<char> buffer_;
  std::string_view in_place_;  // the payload, if it was not copied
  Search search_;
  std::size_t size_ = 0;
  bool valid_ = false;
  bool is_as_given_ = false;     // the buffer has the payload's own bytes
  bool zeros_are_sure_ = false;  // no -0 was read as 0
  bool has_invalid_utf8_ = false;
};

}  // namespace lanner
