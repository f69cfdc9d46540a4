// One payload at a time as a JSON document that is wholly valid, or none. No Python here.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "values/values.hpp"

namespace lanner {

class Document {
 public:
  // Whether `payload` is wholly valid JSON (RFC 8259, UTF-8, at most 1024 levels). It is copied: simdjson reads past the end.
  bool load(std::string_view payload);

  // The same without a copy: `payload` stays where it is until the next, and SIMDJSON_PADDING bytes behind it can be read.
  bool load_in_place(std::string_view payload);

  // The value of a tree for the document; none where there is no document. Its texts stay until the next load, and until the arena, which
  // has those that are not the document's, is cleared.
  Result read(const Value& value, const Given& given, Arena& arena);

  // The same for a tree of keys, into `names`: empty where there is no value.
  void read(const Value& value, const Given& given, Names& names);

  // Whether the last load had this payload, and would do the same again.
  bool holds(std::string_view payload) const;

  // The document that the last load made; null where it made none.
  const simdjson::dom::element* root() const { return valid_ ? &root_ : nullptr; }

 private:
  void make_room(std::size_t size);
  void rewrite(char* end);
  simdjson::error_code parse(const char* data, std::size_t size, std::size_t depth);

  simdjson::dom::parser parser_;
  std::vector<char> buffer_;
  std::string_view in_place_;  // the payload, where it was not copied
  simdjson::dom::element root_;
  std::size_t size_ = 0;
  bool valid_ = false;
  bool is_as_given_ = false;     // the buffer has the payload's own bytes
  bool zeros_are_sure_ = false;  // no -0 was taken for 0
};

}  // namespace lanner
