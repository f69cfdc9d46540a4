// Values of a JSON payload, as trees: the native form of lanner.sdk.payload.values. No Python here.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "values/arena.hpp"
#include "values/dates.hpp"
#include "values/places.hpp"
#include "values/scalar.hpp"
#include "values/tokens.hpp"

namespace lanner {

// The argument: nothing, a key or an index.
using Given = std::variant<std::monostate, std::string_view, std::uint64_t>;

using Items = std::span<const Scalar>;
// The strings belong to the document or to the arena, which also has the items of lists. A list has at least one.
using Result = std::variant<std::monostate, std::string_view, std::uint64_t, Items>;

// The JSON values that count at a place: see lanner.sdk.payload.words.Reads
enum class Reads : std::uint8_t { text, scalar, raw, number, decimal, boolean, any, present };

enum class ValueType : std::uint8_t { text, number, boolean, address };

// The JSON types, of which a value of another type than the field has one, and an evaluation that repeats too much
enum class Misfit : std::uint8_t { none, text, number, boolean, object, array, excess };
inline constexpr std::array<std::string_view, 7> misfit_names = {"", "text", "number", "boolean", "object", "array", "excess"};
using Misfits = std::array<std::uint64_t, misfit_names.size()>;

struct Value;
struct Context;

// A word of lanner.sdk.payload.words
struct Word {
  enum class Operand { none, separator, unit, time_form, name, texts, any_texts, joint, index };

  std::string_view name;
  Operand operand;
  Reads reads;
  ValueType gives;
  // Of a word that computes a value from another one: the result for that one, a string or a number. `value` has the operands.
  Result (*make)(const Result& operand, const Value& value, Context& context);
};

std::span<const Word> words();
// Null for an unknown name
const Word* word_of(std::string_view name);

struct Value {
  enum class Kind : std::uint8_t {
    path,
    first,
    when,
    each,
    shared,  // its part of the value of an `each` is the same for all items: with a `number`
    given,
    constant,
    concat,
    pointer,  // these four: a part named by `text` or the argument
    group,    // of the pattern `place`, with the number `number`
    logfmt,
    cef,
    word,  // with `make`; those below are words with their own evaluation
    keys,
    split,
    listed,
    nth,
    join,
    without,
    every,
    any,
    exists
  };

  Kind kind = Kind::path;
  ValueType type = ValueType::text;
  bool is_list = false;
  bool has_lists = false;          // it or a part of it is a list, or shared
  bool is_of_item = false;         // path: it begins at the item of the innermost `each`
  bool is_negated = false;         // when: it is `unless`
  bool takes_argument = false;     // word: its operand is the field's argument
  std::vector<Step> steps;         // path
  std::uint32_t place = 0;         // path: where the first `placed` steps lead, in Places
  std::size_t placed = 0;          // the others are walked
  std::vector<Value> children;     // first: options; when: value, condition; each: path, value; word: one
  std::vector<std::string> texts;  // when, words
  const Word* word = nullptr;      // word
  std::string text;                // constant; a separator, a name
  std::uint64_t number = 1;        // an index, or nanoseconds in a unit
  DateForm form = DateForm::units;
};

// A path. Adds it to `places`.
Value make_path(std::vector<Step> steps, bool is_of_item, Places& places);

// The names of the members at the end of a path
Value make_keys(Value path);

// Trees, and the places of their paths.
struct Table {
  std::vector<Value> trees;
  Places places;
};

// Whether an event has a list, and whether no item of it was left out
struct Found {
  bool is_list = false;
  bool is_complete = true;
};

// What a shared part of a tree has for an event
struct Shared {
  bool is_known = false;
  Result result;  // of a list: its items
  Found found;    // of a list
  Misfit misfit = Misfit::none;
  std::size_t room = 0;  // what each use counts towards `max_repeated`
};

// See lanner.sdk.payload.sharing.
inline constexpr std::size_t max_repeated = std::size_t{1} << 20;

// What a tree is evaluated for
struct Context {
  Search& document;
  Tokens& tokens;
  Lines& lines;
  std::string_view payload;
  bool has_pointers;
  const Given& given;
  Arena& arena;
  Misfits* misfits = nullptr;           // counts values of other types
  std::uint32_t item = Tape::document;  // the element of the innermost `each`
  Misfit misfit = Misfit::none;         // why the value that is being evaluated does not exist
  std::vector<Shared> shared = {};      // by number
  std::size_t repeated = 0;             // the room of the uses of shared parts

  bool is_excess() const { return repeated > max_repeated; }
};

// The value of a tree.
Result evaluate(const Value& value, Context& context, Reads reads = Reads::text);

// The same, and counts a value of another type.
Result evaluate_field(const Value& value, Context& context);

}  // namespace lanner
