// Values of a JSON payload, as trees: the native form of lanner.sdk.values. No Python here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <simdjson.h>

#include "values/arena.hpp"
#include "values/places.hpp"

namespace lanner {

// The argument: nothing, a key or an index.
using Given = std::variant<std::monostate, std::string_view, std::uint64_t>;

using Names = std::span<const std::string_view>;
// The texts belong to the document or to the arena, which also has the names.
using Result = std::variant<std::monostate, std::string_view, std::uint64_t, Names>;

struct Value;

// A word of lanner.sdk.values that computes a value from another one.
struct Word {
  enum class Operand { none, separator, unit };

  std::string_view name;
  Operand operand;
  bool reads_numbers;  // its operand may be a JSON integer, where usually only a text counts
  // `operand` is the word's operand; for an integer or a text. `value` has separator and factor.
  Result (*make)(const Result& operand, const Value& value, Arena& arena);
};

std::span<const Word> words();
// Null for an unknown name
const Word* word_of(std::string_view name);

struct Value {
  enum class Kind { path, first, when, keys, word };

  Kind kind = Kind::path;
  std::vector<Step> steps;         // path, keys
  std::uint32_t place = 0;         // path, keys: where the first `placed` steps lead, in Places
  std::size_t placed = 0;          // the others are walked
  std::vector<Value> children;     // first: options; when: value, condition; word: one
  std::vector<std::string> texts;  // when
  const Word* word = nullptr;      // word
  std::string separator;           // word
  std::uint64_t factor = 1;        // word: nanoseconds in its unit
};

// A path, or the names of the members at its end. Adds it to `places`.
Value make_path(Value::Kind kind, std::vector<Step> steps, Places& places);

// Trees, and the places of their paths.
struct Table {
  std::vector<Value> trees;
  Places places;
};

// The value of a tree for a document. `number`: accepts a JSON integer instead of a text.
Result evaluate(const Value& value, Search& document, const Given& given, Arena& arena, bool number = false);

// The same for a tree that is a path to a text: null for no value; the text ends with NUL.
const char* text_at(const Value& value, Search& document, const Given& given);

}  // namespace lanner
