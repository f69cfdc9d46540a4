// What transformers make of values that are there: the native form of lanner.rules.language.transformers. No Python here.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/program.hpp"

namespace lanner {

// Texts that were made for the current event, kept until the next. Their room is used again.
class Arena {
 public:
  void clear() {
    for (std::size_t place = 0; place < used_; ++place) empty(texts_[place]);
    used_ = 0;
  }
  // Room for a list of texts, empty; the next call takes it back
  std::vector<std::string_view>& list() {
    list_.clear();
    return list_;
  }
  std::string& take() {
    if (used_ == texts_.size()) texts_.emplace_back();
    return texts_[used_++];
  }

 private:
  std::deque<std::string> texts_;  // a deque: references to them stay
  std::size_t used_ = 0;
  std::vector<std::string_view> list_;
};

using Types = std::vector<const Type*>;
using Cells = std::vector<const Cell*>;

// A transformer or list of operands. `make` puts its value into `result`, which is absent and has an empty list, from its operands'
// values: all of them are there.
struct Transformer {
  static constexpr std::size_t any = static_cast<std::size_t>(-1);

  std::string_view name;
  std::size_t least;  // operands
  std::size_t most;
  void (*make)(const Operand& operand, const Types& types, const Cells& values, Cell& result, Arena& arena);
};

std::span<const Transformer> transformers();
// Null where there is none of that name
const Transformer* transformer_of(std::string_view name);

}  // namespace lanner
