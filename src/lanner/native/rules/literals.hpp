// Finds which of many strings occur in another one, in one pass over it (the automaton of Aho and Corasick). No Python here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lanner {

class Literals {
 public:
  // The strings that the current search has already found: each thread has its own
  class SearchState {
   public:
    void begin(std::size_t count) {
      if (rounds_.size() < count) rounds_.resize(count);
      ++round_;
    }
    bool add(std::size_t text) {
      if (rounds_[text] == round_) return false;
      rounds_[text] = round_;
      return true;
    }

   private:
    std::vector<std::uint64_t> rounds_;
    std::uint64_t round_ = 0;
  };

  // Takes non-empty strings without duplicates. `folds`: ignores the case of ASCII letters, with the strings in lower case. Returns false,
  // with nothing to search for, if this needs more steps (4 bytes each) than `most`.
  bool build(const std::vector<std::string>& texts, bool folds, std::size_t most);

  // The number of steps.
  std::size_t size() const { return next_.size(); }

  // Calls `found` once with the number of each text that occurs in this one
  template <typename Found>
  void find(std::string_view text, SearchState& seen, Found&& found) const {
    seen.begin(shorter_.size());
    std::uint32_t state = 0;
    for (const char c : text) {
      state = next_[state + classes_[static_cast<unsigned char>(c)]];
      // of the strings that end here, the longest first; if it was seen before, so were the others
      for (auto end = ending_[state / width_]; end != none && seen.add(end); end = shorter_[end]) found(end);
    }
  }

 private:
  static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);

  std::array<std::uint16_t, 256> classes_{};  // of bytes; 0: those that occur in no text
  std::uint32_t width_ = 0;                   // the number of classes
  std::vector<std::uint32_t> next_;           // by state, which is an index in here, and class
  std::vector<std::uint32_t> ending_;         // by state: the longest text that ends there
  std::vector<std::uint32_t> shorter_;        // by text: the longest other one that is its suffix
};

}  // namespace lanner
