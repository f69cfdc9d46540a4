// Transformers for existing values: the native form of lanner.rules.language.transformers. No Python here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/program.hpp"
#include "values/arena.hpp"

namespace lanner {

using Types = std::vector<const Type*>;
using Cells = std::vector<const Cell*>;

// A transformer or list of operands. `make` computes `result`, which is absent and has an empty list before, from its operands'
// values, all of which exist.
struct Transformer {
  static constexpr std::size_t any = static_cast<std::size_t>(-1);

  std::string_view name;
  std::size_t least;  // operands
  std::size_t most;
  void (*make)(const Operand& operand, const Types& types, const Cells& values, Cell& result, Arena& arena);
};

std::span<const Transformer> transformers();
// Null for an unknown name
const Transformer* transformer_of(std::string_view name);

}  // namespace lanner
