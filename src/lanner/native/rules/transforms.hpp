// What transformers make of values that are there: the native form of lanner.rules.language.transformers. No Python here.
#pragma once

#include <deque>
#include <string>
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

// The value of a transformer or list of operands, from its operands' values: all of them are there. `types` are the operands'.
void transform(const Operand& operand, const std::vector<const Type*>& types, const std::vector<const Cell*>& values, Cell& result,
               Arena& arena);

}  // namespace lanner
