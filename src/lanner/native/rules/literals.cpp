#include "rules/literals.hpp"

namespace lanner {

bool Literals::build(const std::vector<std::string>& texts, bool folds, std::size_t most) {
  width_ = 1;
  for (const auto& text : texts) {
    for (const char c : text) {
      auto& number = classes_[static_cast<unsigned char>(c)];
      if (number == 0) number = static_cast<std::uint16_t>(width_++);
    }
  }
  if (folds) {
    for (std::size_t c = 'A'; c <= 'Z'; ++c) classes_[c] = classes_[c - 'A' + 'a'];
  }
  // a trie of the strings; 0 is the root, and means a missing step
  next_.assign(width_, 0);
  ending_.assign(1, none);
  shorter_.clear();
  for (const auto& text : texts) {
    std::uint32_t state = 0;
    for (const char c : text) {
      const auto step = state + classes_[static_cast<unsigned char>(c)];
      if (next_[step] == 0) {
        if (next_.size() + width_ > most) return false;
        next_[step] = static_cast<std::uint32_t>(next_.size());
        next_.resize(next_.size() + width_);
        ending_.push_back(none);
      }
      state = next_[step];
    }
    ending_[state / width_] = static_cast<std::uint32_t>(shorter_.size());
    shorter_.push_back(none);
  }
  // level by level: a missing step leads to the target of the longest proper suffix that is also a prefix of a string
  std::vector<std::uint32_t> fallback(ending_.size());
  std::vector<std::uint32_t> level;
  for (std::uint32_t each = 0; each < width_; ++each) {
    if (next_[each] != 0) level.push_back(next_[each]);
  }
  for (std::size_t at = 0; at < level.size(); ++at) {
    const auto state = level[at];
    const auto other = fallback[state / width_];
    auto& end = ending_[state / width_];
    if (end == none) {
      end = ending_[other / width_];
    } else {
      shorter_[end] = ending_[other / width_];
    }
    for (std::uint32_t each = 0; each < width_; ++each) {
      auto& next = next_[state + each];
      if (next == 0) {
        next = next_[other + each];
      } else {
        fallback[next / width_] = next_[other + each];
        level.push_back(next);
      }
    }
  }
  return true;
}

}  // namespace lanner
