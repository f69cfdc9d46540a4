// Values read off a JSON payload, as trees: the native form of lanner.sdk.values. No Python here.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <simdjson.h>

#include "values/arena.hpp"

namespace lanner {

// A step of a path: a member's name, an item's number, or the field's argument.
struct Argument {};
using Step = std::variant<std::string, std::uint64_t, Argument>;

// What fills the place of an argument: nothing, a key or an index.
using Given = std::variant<std::monostate, std::string_view, std::uint64_t>;

using Names = std::vector<std::string_view>;
// The texts are those of the document that they were read off, or of the arena.
using Result = std::variant<std::monostate, std::string_view, std::uint64_t, Names>;

struct Value;

// A word of lanner.sdk.values that makes a value of another one.
struct Word {
  enum class Operand { none, separator, unit };

  std::string_view name;
  Operand operand;
  bool reads_numbers;  // what it is made of may be a JSON integer, where else only a text counts
  // `operand` is what the word is made of; of an integer or a text. `value` has separator and factor.
  Result (*make)(const Result& operand, const Value& value, Arena& arena);
};

std::span<const Word> words();
// Null where there is none of that name
const Word* word_of(std::string_view name);

struct Value {
  enum class Kind { path, first, when, keys, word };

  Kind kind = Kind::path;
  std::vector<Step> steps;         // path, keys
  std::vector<Value> children;     // first: options; when: value, condition; word: one
  std::vector<std::string> texts;  // when
  const Word* word = nullptr;      // word
  std::string separator;           // word
  std::uint64_t factor = 1;        // word: nanoseconds in its unit
};

// The value of a tree for a document. `number`: a JSON integer counts where a text does.
Result evaluate(const Value& value, simdjson::dom::element document, const Given& given, Arena& arena, bool number = false);

// The same for a tree of keys, into `names`, which keeps its room: empty where there is no value.
void read_names(const Value& value, simdjson::dom::element document, const Given& given, Names& names);

// The same for a tree that is a path to a text: null where there is none; the text ends with NUL.
const char* text_at(const std::vector<Step>& steps, simdjson::dom::element document, const Given& given);

}  // namespace lanner
