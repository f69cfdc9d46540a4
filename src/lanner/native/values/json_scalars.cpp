#include "values/json_scalars.hpp"

#include <string>

namespace lanner {
namespace {

// Numbers that simdjson cannot read were rewritten to null
bool is_number(std::uint32_t element, Context& context) {
  const auto& tape = context.document.tape();
  if (tape.is_number(element)) return true;
  return context.tokens.is_rewritten() && tape.type(element) == 'n' && context.tokens.of(element) != "null";
}

// Digits, and with `fraction` perhaps a fraction
bool is_decimal(std::string_view text, bool fraction) {
  const auto digits = text.find_first_not_of("0123456789");
  if (digits == std::string_view::npos) return true;
  return fraction && text[digits] == '.' && text.find_first_not_of("0123456789", digits + 1) == std::string_view::npos;
}

// Whether the digits of a number are those of the integer on the tape
bool is_plain_integer(std::uint32_t element, Context& context) {
  const auto& tape = context.document.tape();
  if (context.tokens.is_rewritten() || !tape.is_unsigned(element)) return false;
  return tape.number(element) != 0 || !context.tokens.is_negative_zero(element);
}

std::string_view digits_of(std::uint32_t element, Context& context) {
  return context.arena.take() = std::to_string(context.document.tape().number(element));
}

Result read_number(std::uint32_t element, Context& context, Reads reads) {
  if (is_plain_integer(element, context)) {
    if (reads == Reads::scalar) return digits_of(element, context);
    return context.document.tape().number(element);
  }
  const auto text = context.tokens.of(element);
  if (reads == Reads::scalar || is_decimal(text, reads == Reads::decimal)) return text;
  context.misfit = Misfit::number;
  return {};
}

// The JSON of a value; that of most scalars needs no tokens
std::string_view raw(std::uint32_t element, Context& context) {
  switch (context.document.tape().type(element)) {
    case 't':
      return "true";
    case 'f':
      return "false";
    case 'n':
      if (!context.tokens.is_rewritten()) return "null";
      break;
    default:
      if (is_plain_integer(element, context)) return digits_of(element, context);
  }
  return context.tokens.compact(element, context.arena);
}

}  // namespace

Result unfit(std::uint32_t element, Context& context) {
  const auto type = context.document.tape().type(element);
  if (is_number(element, context)) {
    context.misfit = Misfit::number;
  } else if (type != 'n') {
    context.misfit = type == '[' ? Misfit::array : type == '{' ? Misfit::object : type == '"' ? Misfit::text : Misfit::boolean;
  }
  return {};
}

Result read_other(std::uint32_t element, Context& context, Reads reads) {
  const auto type = context.document.tape().type(element);
  switch (reads) {
    case Reads::text:
      return unfit(element, context);
    case Reads::raw:
      return raw(element, context);
    case Reads::any:
      return std::uint64_t{1};
    case Reads::present:
      return type == 'n' && !is_number(element, context) ? Result{} : Result{std::uint64_t{1}};
    case Reads::scalar:
    case Reads::boolean:
      if (type == 't' || type == 'f') return std::string_view(type == 't' ? "true" : "false");
      break;
    default:
      break;
  }
  return reads != Reads::boolean && is_number(element, context) ? read_number(element, context, reads) : unfit(element, context);
}

}  // namespace lanner
