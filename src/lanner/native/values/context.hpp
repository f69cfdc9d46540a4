// What a tree is evaluated with. Its headers take two seconds to compile: only the files that read a document include it. No Python here.
#pragma once

#include <simdjson.h>

#include "values/search.hpp"
#include "values/tokens.hpp"
#include "values/values.hpp"

namespace lanner {

// What a tree is evaluated for
struct Context {
  Search& document;
  Tokens& tokens;
  const Given& given;
  Arena& arena;
  Misfits* misfits = nullptr;     // counts values of other types
  simdjson::dom::element item{};  // of the innermost `each`
  Misfit misfit = Misfit::none;   // why the value that is being evaluated does not exist
};

}  // namespace lanner
