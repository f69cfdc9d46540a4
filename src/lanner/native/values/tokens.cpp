// simdjson's tape has one word (two for a number) for each bracket, string, number and atom, in the order of the payload. The indexes of
// its first stage have the offsets of these, and of each colon and comma.
#include "values/tokens.hpp"

#include <simdjson.h>

#include "values/characters.hpp"

namespace lanner {
namespace {

// The offset after the text that begins at `at`
std::size_t after_text(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

// The offset after the bracket, text, number or atom at `at`
std::size_t end_of(std::string_view text, std::size_t at) {
  switch (text[at]) {
    case '"':
      return after_text(text, at);
    case 't':
    case 'n':
      return at + 4;
    case 'f':
      return at + 5;
    default:
      if (!is_number_char(text[at])) return at + 1;
      while (at < text.size() && is_number_char(text[at])) ++at;
      return at;
  }
}

// Whether a number may be -0. Dash and 0 in a name or a date count as well, but only at the beginning of a token.
bool may_hold_negative_zero(std::string_view text) {
  for (auto at = text.find("-0"); at != std::string_view::npos; at = text.find("-0", at + 1)) {
    if (at == 0 || std::string_view(":,[ \t\n\r").find(text[at - 1]) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

// Adds the offset of the next token.
void Tokens::add(std::uint32_t offset) {
  const bool is_number = tape_.is_number(static_cast<std::uint32_t>(offsets_.size()));
  offsets_.push_back(offset);
  if (is_number) offsets_.push_back(offset);
}

void Tokens::index() {
  is_indexed_ = true;
  empty(offsets_);
  offsets_.push_back(0);  // the root has no token
  if (!is_rewritten()) {
    const auto& found = *parser_->implementation;
    for (std::uint32_t number = 0; number < found.n_structural_indexes; ++number) {
      const auto at = found.structural_indexes[number];
      if (text_[at] != ':' && text_[at] != ',') add(at);
    }
    return;
  }
  for (std::size_t at = 0; at < rewritten_.size();) {
    const char c = rewritten_[at];
    if (is_json_blank(c) || c == ':' || c == ',') {
      ++at;
      continue;
    }
    add(static_cast<std::uint32_t>(at));
    at = end_of(rewritten_, at);
  }
}

std::string_view Tokens::of(std::uint32_t element) {
  if (!is_indexed_) index();
  const auto text = this->text();
  const std::size_t begin = offsets_[element];
  const bool is_container = text[begin] == '{' || text[begin] == '[';
  const auto end = is_container ? offsets_[tape_.end(element)] + 1 : end_of(text, begin);
  return text.substr(begin, end - begin);
}

std::string_view Tokens::compact(std::uint32_t element, Arena& arena) {
  const auto text = of(element);
  std::string* copy = nullptr;
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      at = after_text(text, at);
    } else if (is_json_blank(text[at])) {
      if (!copy) copy = &arena.take();
      copy->append(text.substr(done, at - done));
      while (is_json_blank(text[at])) ++at;
      done = at;
    } else {
      ++at;
    }
  }
  if (!copy) return text;
  copy->append(text.substr(done));
  return *copy;
}

bool Tokens::is_negative_zero(std::uint32_t element) {
  if (!zeros_are_known_) {
    has_negative_zero_ = may_hold_negative_zero(text());
    zeros_are_known_ = true;
  }
  return has_negative_zero_ && of(element) == "-0";
}

}  // namespace lanner
