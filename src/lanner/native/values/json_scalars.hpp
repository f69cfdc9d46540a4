// The values of single JSON elements, as words read them. No Python here.
#pragma once

#include "values/characters.hpp"
#include "values/values.hpp"

namespace lanner {

// No value, because the element has another type
Result unfit(std::uint32_t element, Context& context);

// The value of an element other than a string, or of any element for `raw` and for its existence
Result read_other(std::uint32_t element, Context& context, Reads reads);

// The value of an element
inline Result read(std::uint32_t element, Context& context, Reads reads) {
  const auto& tape = context.document.tape();
  const bool reads_texts = reads != Reads::raw && reads != Reads::any && reads != Reads::present;
  return reads_texts && tape.is_text(element) ? Result{until_nul(tape.text(element))} : read_other(element, context, reads);
}

}  // namespace lanner
