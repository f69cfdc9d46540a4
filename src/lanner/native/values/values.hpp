// Values read off a JSON payload, as trees: the native form of lanner.sdk.values. No Python here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <simdjson.h>

namespace lanner {

// A step of a path: a member's name, an item's number, or the field's argument.
struct Argument {};
using Step = std::variant<std::string, std::uint64_t, Argument>;

// What fills the place of an argument: nothing, a key or an index.
using Given = std::variant<std::monostate, std::string_view, std::uint64_t>;

using Names = std::vector<std::string_view>;
// The texts point into the document that they were read off.
using Result = std::variant<std::monostate, std::string_view, std::uint64_t, Names>;

struct Value {
  enum class Kind { path, first, when, before, after, after_last, unsigned_integer, keys };

  Kind kind = Kind::path;
  std::vector<Step> steps;         // path, keys
  std::vector<Value> children;     // first: options; when: value, condition; before, after, after_last, unsigned_integer: one
  std::vector<std::string> texts;  // when
  std::string separator;           // before, after, after_last
  std::uint64_t factor = 1;        // unsigned_integer: nanoseconds in its unit
};

// The value of a tree for a document. `number`: a JSON integer counts where a text does.
Result evaluate(const Value& value, simdjson::dom::element document, const Given& given, bool number = false);

// The same for a tree of keys, into `names`, which keeps its room: empty where there is no value.
void read_names(const Value& value, simdjson::dom::element document, const Given& given, Names& names);

// The same for a tree that is a path to a text: null where there is none; the text ends with NUL.
const char* text_at(const std::vector<Step>& steps, simdjson::dom::element document, const Given& given);

}  // namespace lanner
