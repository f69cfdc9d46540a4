// The operators of conditions for existing values: the native form of lanner.rules.language.operators. No Python here.
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
#include "values/scalar.hpp"

namespace lanner {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

// The value of a field or operand for the current event. `open`: only Python can compute it.
struct Cell {
  enum class State : std::uint8_t { unread, absent, open, scalar, list };

  State state = State::unread;
  Scalar scalar;
  std::vector<Scalar> list;  // keeps its capacity between events
};

// The operators, which operators.cpp declares with their names
enum class Operator : std::uint8_t;
std::vector<std::string_view> operator_names();
std::optional<Operator> operator_of(std::string_view name);

enum class Modifier { none, anyof, allof, oneof };

// A constant in the plan. `bits` < 0: not a network.
struct Constant {
  std::string text;
  std::uint64_t number = 0;
  bool is_text = false;
  int bits = -1;
};

// Memory for strings that are created for one check
struct TextBuffers {
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
  virtual bool holds(const Cell& value, TextBuffers& scratch) const = 0;

  // Strings of which at least one occurs in each text for which this holds, ignoring case if it `folds`; none if unknown
  virtual std::vector<std::string> literals(bool& folds) const {
    static_cast<void>(folds);
    return {};
  }
  // Numbers of which each number for which this holds is one; none if unknown
  virtual std::vector<std::uint64_t> numbers() const { return {}; }
  // More are not asked for
  static constexpr std::size_t most_literals = 64;
};

struct Type;

// The predicate of a check with constants. Throws std::runtime_error for invalid ones.
std::unique_ptr<Predicate> make_predicate(Operator word, const std::vector<Constant>& constants, Modifier modifier, const Type& type);

// The comparison of two values
struct Comparison {
  Operator word{};
  bool is_list = false;  // the left side is a list
  bool is_text = false;
  bool left_terminated = false;
  bool right_terminated = false;

  bool holds(const Cell& left, const Cell& right, TextBuffers& scratch) const;
};

// The text up to its first NUL, as in C
inline std::string_view c_text(std::string_view text) { return text.substr(0, text.find('\0')); }
// The text without trailing NULs
inline std::string_view stripped(std::string_view text) { return text.substr(0, text.find_last_not_of('\0') + 1); }

}  // namespace lanner
