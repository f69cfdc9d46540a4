// The values shown in the alerts of a batch, kept beyond their events. No Python here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/program.hpp"

namespace lanner {

class KeptValues {
 public:
  enum class Kind : std::uint8_t { absent, number, boolean, text, address, list };

  struct Value {
    Kind kind = Kind::absent;
    std::uint64_t number =
        0;                 // number, boolean; text, address: its offset; list: the number of the values after this one that are its items
    std::size_t size = 0;  // text, address
  };

  void clear() {
    values_.clear();
    empty(texts_);
  }
  std::size_t size() const { return values_.size(); }
  void resize(std::size_t size) { values_.resize(size); }

  // A known value: not `open`
  void add(const Cell& cell, const Type& type);

  const Value& at(std::size_t place) const { return values_[place]; }
  std::string_view text(const Value& value) const { return std::string_view(texts_).substr(value.number, value.size); }

 private:
  void add(const Scalar& scalar, Type::Is type);

  std::vector<Value> values_;
  std::string texts_;
};

}  // namespace lanner
