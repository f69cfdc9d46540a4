#include "rules/required_text.hpp"

#include <ctype.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace lanner {

std::string text_of_glob(std::string_view pattern) {
  std::string longest;
  std::string text;
  for (std::size_t place = 0; place <= pattern.size(); ++place) {
    const char c = place < pattern.size() ? pattern[place] : '[';
    if (c != '*' && c != '?' && c != '\\' && c != '[') {
      text.push_back(c);
      continue;
    }
    if (text.size() > longest.size()) longest = text;
    text.clear();
    if (c == '[') break;
    if (c == '\\') ++place;
  }
  return longest;
}

namespace {

// Reads a regular expression without compiling it
class RegexTexts {
 public:
  explicit RegexTexts(std::string_view pattern) : pattern_(pattern) {}

  std::vector<std::string> all() {
    auto texts = alternatives();
    if (is_unknown_ || at_ < pattern_.size()) return {};
    return texts;
  }

 private:
  static constexpr std::size_t most_texts = 64;
  static constexpr int most_groups = 100;

  // Up to the parenthesis that closes the group, or the end
  std::vector<std::string> alternatives() {
    std::vector<std::string> texts;
    bool is_known = true;
    while (true) {
      auto of_one = sequence();
      is_known = is_known && !of_one.empty() && texts.size() + of_one.size() <= most_texts;
      if (is_known) std::move(of_one.begin(), of_one.end(), std::back_inserter(texts));
      if (!sees('|')) break;
      ++at_;
    }
    if (!is_known) return {};
    return texts;
  }

  // The strings of the part whose shortest one is the longest: each part of a sequence must occur
  std::vector<std::string> sequence() {
    std::vector<std::string> best;
    std::size_t best_size = 0;
    std::string text;
    const auto consider = [&](std::vector<std::string> texts) {
      if (texts.empty()) return;
      const auto size =
          std::min_element(texts.begin(), texts.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); })->size();
      if (size < best_size || (size == best_size && texts.size() >= best.size())) return;
      best = std::move(texts);
      best_size = size;
    };
    const auto end_text = [&] {
      if (!text.empty()) consider({text});
      text.clear();
    };
    while (!is_unknown_ && at_ < pattern_.size() && !sees('|') && !sees(')')) {
      const char c = pattern_[at_++];
      if (c == '\\') {
        if (at_ == pattern_.size() || isalnum(static_cast<unsigned char>(pattern_[at_]))) {
          is_unknown_ = true;
        } else {
          text.push_back(pattern_[at_++]);
        }
      } else if (c == '[') {
        end_text();
        skip_class();
      } else if (c == '(') {
        end_text();
        auto inside = group();
        if (!sees('*') && !sees('?') && !sees('{')) consider(std::move(inside));
      } else if (c == '*' || c == '?' || c == '{') {
        // the previous character is optional: all bytes of a multi-byte one
        while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
        if (!text.empty()) text.pop_back();
        end_text();
        if (c == '{') skip_count();
      } else if (c == '+' || c == '.' || c == '^' || c == '$') {
        end_text();
      } else {
        text.push_back(c);
      }
    }
    end_text();
    return best;
  }

  std::vector<std::string> group() {
    if (sees('?') || ++groups_ > most_groups) {
      is_unknown_ = true;
      return {};
    }
    auto texts = alternatives();
    --groups_;
    is_unknown_ = is_unknown_ || !sees(')');
    ++at_;
    return texts;
  }

  void skip_class() {
    if (sees('^')) ++at_;
    if (sees(']')) ++at_;
    while (at_ < pattern_.size() && !sees(']')) {
      is_unknown_ = is_unknown_ || sees('\\') || sees('[');
      ++at_;
    }
    ++at_;
  }

  // Without a number in them, braces are ordinary characters
  void skip_count() {
    while (at_ < pattern_.size() && (isdigit(static_cast<unsigned char>(pattern_[at_])) || sees(','))) ++at_;
    is_unknown_ = is_unknown_ || !sees('}');
    ++at_;
  }

  bool sees(char c) const { return at_ < pattern_.size() && pattern_[at_] == c; }

  std::string_view pattern_;
  std::size_t at_ = 0;
  int groups_ = 0;
  bool is_unknown_ = false;
};

}  // namespace

std::vector<std::string> texts_of_regex(std::string_view pattern) { return RegexTexts(pattern).all(); }

}  // namespace lanner
