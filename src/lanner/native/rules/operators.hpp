// What the operators of conditions say of values that are there: the native form of lanner.rules.language.operators. No Python here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "values/arena.hpp"

namespace lanner {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

// One value: bytes (texts, addresses) or a number (numbers, times, truth)
struct Scalar {
  std::string_view text;
  std::uint64_t number = 0;
  bool is_text = false;

  static Scalar of(std::string_view text) { return {text, 0, true}; }
  static Scalar of(std::uint64_t number) { return {{}, number, false}; }
  bool operator==(const Scalar& other) const { return is_text == other.is_text && (is_text ? text == other.text : number == other.number); }
};

// The value of a field or operand for the current event. `open`: only Python can tell.
struct Cell {
  enum class State : std::uint8_t { unread, absent, open, scalar, list };

  State state = State::unread;
  Scalar scalar;
  std::vector<Scalar> list;  // keeps its room from event to event
};

// The operators, which operators.cpp declares with their names
enum class Operator : std::uint8_t;
std::vector<std::string_view> operator_names();
std::optional<Operator> operator_of(std::string_view name);

enum class Modifier { none, anyof, allof, oneof };

// A constant as the plan has it. `bits` < 0: no network.
struct Constant {
  std::string text;
  std::uint64_t number = 0;
  bool is_text = false;
  int bits = -1;
};

// Room for texts that are made for one check
struct Scratch {
  void clear() {
    empty(text);
    empty(pattern);
  }

  std::string text;
  std::string pattern;
  std::vector<std::size_t> level;
  std::vector<std::size_t> following;
};

class Predicate {
 public:
  virtual ~Predicate() = default;
  virtual bool holds(const Cell& value, Scratch& scratch) const = 0;

  // Texts of which one stands in each text that this holds for, letters in whatever case where it `folds`; none where there are no such
  virtual std::vector<std::string> literals(bool& folds) const {
    static_cast<void>(folds);
    return {};
  }
  static constexpr std::size_t most_literals = 64;
};

struct Type;

// The predicate of a check with constants. Throws std::runtime_error for what is none.
std::unique_ptr<Predicate> make_predicate(Operator word, const std::vector<Constant>& constants, Modifier modifier, const Type& type);

// Of two values
struct Comparison {
  Operator word{};
  bool is_list = false;  // the left side is a list
  bool is_text = false;
  bool left_terminated = false;
  bool right_terminated = false;

  bool holds(const Cell& left, const Cell& right, Scratch& scratch) const;
};

// The text up to its first NUL, as C reads it
inline std::string_view c_text(std::string_view text) { return text.substr(0, text.find('\0')); }
// The text without closing NULs
inline std::string_view stripped(std::string_view text) { return text.substr(0, text.find_last_not_of('\0') + 1); }

}  // namespace lanner
