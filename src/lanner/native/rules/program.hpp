// The plan of the rules for the native executor: numbered fields, operands, checks and trees in compact arrays. No Python here.
//
// Created once (program_read.cpp) and immutable after that: any number of threads run it, each with its own Machine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rules/clock.hpp"
#include "rules/literals.hpp"
#include "rules/operators.hpp"
#include "values/values.hpp"

namespace lanner {

// The source of a field's value
struct Source {
  enum class Kind {
    python,  // only Python can compute it: results that depend on it are open
    absent,
    text,     // the same for every event
    number,   // the same for every event
    json,     // read from the payload
    place,    // the event's number, from 1
    time,     // of the event
    elapsed,  // since the first event
    clock,    // the time of the event as a string
  };
  enum class Part { whole, seconds, nanoseconds };  // of times

  Kind kind = Kind::python;
  Part part = Part::whole;
  ClockText clock = ClockText::time;
  std::string text;
  std::uint64_t number = 0;
  std::size_t tree = 0;  // json: in Program::table
  bool has_argument = false;
  bool is_index = false;  // the argument is `number`, not `text`
};

// Known facts about an operand's values before the first event: see lanner.rules.language.typed.Kind
struct Type {
  enum class Is { text, number, boolean, address, network };

  Is is = Is::text;
  bool is_list = false;
  bool is_terminated = false;
  bool is_binary = false;
};

struct Transformer;  // see transforms.hpp

struct Operand {
  enum class Kind { slot, text, made };

  Kind kind = Kind::slot;
  const Transformer* transformer = nullptr;  // made
  Type type;
  std::size_t slot = 0;
  std::string text;  // text; getopt: the selected option
  bool has_selector = false;
  std::vector<std::size_t> operands;
};

// A comparison with constants or, if it has a right side, of two values
struct Check {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  std::size_t left = 0;
  std::size_t right = none;
  bool is_existence = false;
  Comparison compare;                    // with a right side
  std::unique_ptr<Predicate> predicate;  // without one
};

struct Node {
  enum class Kind : std::uint8_t { check, negation, all, some, open };  // open: only Python can evaluate it

  Kind kind = Kind::check;
  std::uint32_t check = 0;  // check
  std::uint32_t begin = 0;  // negation, all, some: the children, in Program::children
  std::uint32_t end = 0;
};

// Groups of rules by value of the field: the rules of the group can match if the field has that value
struct IndexedField {
  std::size_t slot = 0;
  std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> texts;
  std::unordered_map<std::uint64_t, std::uint32_t> numbers;
};

// The rules that can match only if the operand has a value, or a certain one: if it contains one of some strings, or is one of some
// numbers. Several of these may find a rule.
struct ValueIndex {
  std::size_t operand = 0;
  Literals literals;
  std::vector<std::vector<std::uint32_t>> rules;  // by text
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> numbers;
  std::vector<std::uint32_t> present;  // those that need any value
  std::vector<std::uint32_t> all;
};

// Rules that can match the same events, by number: `rules`, in order, are evaluated one by one; the others are in `values`
struct Group {
  std::vector<std::uint32_t> rules;
  std::vector<ValueIndex> values;  // created by index_values
};

struct Program {
  Table table;
  bool reads_payload = false;
  bool has_time = false;  // the last tree reads the event's time
  std::vector<Source> slots;
  std::vector<Operand> operands;
  std::vector<Check> checks;
  std::vector<Node> nodes;
  std::vector<std::uint32_t> children;
  std::vector<std::uint32_t> conditions;  // nodes, by rule
  std::vector<IndexedField> index;
  std::vector<Group> groups;                       // the first contains the rules that no indexed field selects
  std::vector<std::vector<std::uint32_t>> wanted;  // by rule: the operands that its alerts show
};

}  // namespace lanner
