// The text of a document's values, as the payload has it: numbers keep their digits, objects their spelling. No Python here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "values/arena.hpp"
#include "values/tape.hpp"

namespace simdjson::dom {
class parser;
}

namespace lanner {

class Tokens {
 public:
  // `text` is what `parser` parsed to `tape`; all stay until the next call.
  void begin(const simdjson::dom::parser& parser, const Tape& tape, std::string_view text) {
    parser_ = &parser;
    tape_ = tape;
    text_ = text;
    is_indexed_ = zeros_are_known_ = false;
    rewritten_ = {};
  }

  // After `begin`: the payload, if another text was parsed in its place that has the same tokens (see document.cpp).
  void set_original(std::string_view payload) { rewritten_ = payload; }
  bool is_rewritten() const { return rewritten_.data() != nullptr; }

  // The text of a value, without blanks around it
  std::string_view of(std::uint32_t element);

  // The same without blanks between its parts
  std::string_view compact(std::uint32_t element, Arena& arena);

  // Whether a value that was parsed as 0 is -0
  bool is_negative_zero(std::uint32_t element);

 private:
  void index();
  void add(std::uint32_t offset);
  std::string_view text() const { return is_rewritten() ? rewritten_ : text_; }

  const simdjson::dom::parser* parser_ = nullptr;
  Tape tape_;
  std::string_view text_;
  std::string_view rewritten_;
  std::vector<std::uint32_t> offsets_;  // by element, and for brackets at the end: where its token begins
  bool is_indexed_ = false;
  bool zeros_are_known_ = false;
  bool has_negative_zero_ = false;
};

}  // namespace lanner
