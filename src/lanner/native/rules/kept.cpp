#include "rules/kept.hpp"

namespace lanner {

void KeptValues::add(const Cell& cell, const Type& type) {
  switch (cell.state) {
    case Cell::State::scalar:
      return add(cell.scalar, type.is);
    case Cell::State::list:
      values_.push_back({Kind::list, cell.list.size(), 0});
      for (const auto& item : cell.list) add(item, type.is);
      return;
    default:
      values_.push_back({});
  }
}

void KeptValues::add(const Scalar& scalar, Type::Is type) {
  if (!scalar.is_text) {
    values_.push_back({type == Type::Is::boolean ? Kind::boolean : Kind::number, scalar.number, 0});
    return;
  }
  values_.push_back({type == Type::Is::text ? Kind::text : Kind::address, texts_.size(), scalar.text.size()});
  texts_ += scalar.text;
}

}  // namespace lanner
