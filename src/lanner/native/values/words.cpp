// Words that compute a value from another one. lanner.sdk.payload.evaluate is the reference.
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>
#include <optional>

#include "values/characters.hpp"
#include "values/values.hpp"

namespace lanner {
namespace {

const std::string_view* text_of(const Result& operand) { return std::get_if<std::string_view>(&operand); }

// No value, because a string does not say one. Some strings are numbers
Result unfit(std::string_view text, Context& context) {
  const auto* const point = std::find_if_not(text.begin(), text.end(), is_digit);
  const bool is_number =
      point != text.begin() &&
      (point == text.end() || (*point == '.' && point + 1 != text.end() && std::all_of(point + 1, text.end(), is_digit)));
  context.misfit = is_number ? Misfit::number : Misfit::text;
  return {};
}

Result found_or_unfit(std::optional<std::uint64_t> found, std::string_view text, Context& context) {
  return found ? Result{*found} : unfit(text, context);
}

// A word on a string
template <Result (*make)(std::string_view text, const Value& value, Context& context)>
Result of_text(const Result& operand, const Value& value, Context& context) {
  const auto* text = text_of(operand);
  return text ? make(*text, value, context) : Result{};
}

Result shown(const Result& operand, const Value& value, Context& context) {
  const auto* number = std::get_if<std::uint64_t>(&operand);
  if (!number) return operand;
  if (value.children[0].type == ValueType::boolean) return std::string_view(*number ? "true" : "false");
  return std::string_view(context.arena.take() = std::to_string(*number));
}

Result as_it_is(const Result& operand, const Value&, Context&) { return operand; }

Result boolean(std::string_view text, const Value&, Context& context) {
  if (text == "true") return std::uint64_t{1};
  if (text == "false") return std::uint64_t{0};
  return unfit(text, context);
}

// A number of units; integers are those of 1 ns
Result counted(const Result& operand, const Value& value, Context& context) {
  if (const auto* text = text_of(operand)) {
    if (value.form != DateForm::units) return found_or_unfit(time_of(*text, value.form), *text, context);
    return found_or_unfit(count_of(*text, value.number), *text, context);
  }
  const auto* number = std::get_if<std::uint64_t>(&operand);
  if (!number) return {};
  std::uint64_t product;
  if (value.form == DateForm::units && !__builtin_mul_overflow(*number, value.number, &product)) return product;
  context.misfit = Misfit::number;
  return {};
}

// The bytes of an address, which the arena owns; empty if the text is none. `bits` is its size.
std::string_view to_address(std::string_view text, Context& context) {
  auto& copy = context.arena.take();
  copy = text;
  in6_addr bytes;
  const bool is_four = text.find(':') == std::string_view::npos;
  if (inet_pton(is_four ? AF_INET : AF_INET6, copy.c_str(), &bytes) != 1) return {};
  copy.assign(reinterpret_cast<const char*>(&bytes), is_four ? 4 : 16);
  return copy;
}

Result address(std::string_view text, const Value&, Context& context) {
  const auto bytes = to_address(text, context);
  return bytes.empty() ? unfit(text, context) : Result{bytes};
}

Result network(std::string_view text, const Value&, Context& context) {
  const auto slash = text.find('/');
  auto bytes = to_address(text.substr(0, slash), context);
  if (bytes.empty()) return unfit(text, context);
  if (slash == std::string_view::npos) return bytes;
  const auto digits = text.substr(slash + 1);
  const bool is_number = !digits.empty() && digits.size() <= 3 && std::all_of(digits.begin(), digits.end(), is_digit) &&
                         (digits.size() == 1 || digits[0] != '0');
  std::size_t bits = 0;
  if (is_number) std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (!is_number || bits > bytes.size() * 8) return unfit(text, context);
  auto& masked = context.arena.take() = bytes;
  for (std::size_t at = 0; at < masked.size(); ++at) {
    const auto kept = std::min<std::size_t>(bits > at * 8 ? bits - at * 8 : 0, 8);
    masked[at] = static_cast<char>(static_cast<unsigned char>(masked[at]) & (0xFF00U >> kept));
  }
  return std::string_view(masked);
}

Result before(std::string_view text, const Value& value, Context&) { return text.substr(0, text.find(value.text)); }

Result after(std::string_view text, const Value& value, Context&) {
  const auto at = text.find(value.text);
  return at == std::string_view::npos ? Result{} : Result{text.substr(at + value.text.size())};
}

std::string_view after_the_last(std::string_view text, std::string_view separator) {
  const auto at = text.rfind(separator);
  return at == std::string_view::npos ? text : text.substr(at + separator.size());
}
Result after_last(std::string_view text, const Value& value, Context&) { return after_the_last(text, value.text); }
Result basename(std::string_view text, const Value&, Context&) { return after_the_last(text, "/"); }

template <char first, char last>
Result in_case(std::string_view text, const Value&, Context& context) {
  const auto is_other = [](char c) { return c >= first && c <= last; };
  if (std::none_of(text.begin(), text.end(), is_other)) return text;
  auto& copy = context.arena.take();
  copy = text;
  for (char& c : copy) {
    if (is_other(c)) c = static_cast<char>(c ^ 0x20);
  }
  return std::string_view(copy);
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char small = static_cast<char>(c | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

bool is_escape(std::string_view text, std::size_t at) {
  return at + 2 < text.size() && hex_digit(text[at + 1]) >= 0 && hex_digit(text[at + 2]) >= 0;
}

void decode(std::string_view text, std::string& out) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%') {
      out += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
      at += 2;
    } else {
      out += text[at] == '+' ? ' ' : text[at];
    }
  }
}

Result query(std::string_view text, const Value& value, Context& context) {
  const auto* key = std::get_if<std::string_view>(&context.given);
  if (value.takes_argument && !key) return {};
  const auto name = value.takes_argument ? *key : std::string_view(value.text);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x20 || c == 0x7F || (c == '%' && !is_escape(text, at))) return {};
  }
  auto rest = text.substr(0, text.find('#'));
  const auto begin = rest.find('?');
  if (begin == std::string_view::npos) return {};
  rest.remove_prefix(begin + 1);
  if (rest.find(';') != std::string_view::npos) return {};
  auto& decoded = context.arena.take();
  while (!rest.empty()) {
    const auto part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const auto equals = part.find('=');
    decoded.clear();
    decode(part.substr(0, equals), decoded);
    if (part.empty() || decoded != name) continue;
    decoded.clear();
    if (equals != std::string_view::npos) decode(part.substr(equals + 1), decoded);
    return std::string_view(decoded).substr(0, decoded.find('\0'));
  }
  return {};
}

using Operand = Word::Operand;

// In the order of lanner.sdk.payload.words
constexpr Word table[] = {
    {"text", Operand::none, Reads::scalar, ValueType::text, shown},
    {"raw", Operand::none, Reads::raw, ValueType::text, as_it_is},
    {"boolean", Operand::none, Reads::boolean, ValueType::boolean, of_text<boolean>},
    {"integer", Operand::none, Reads::number, ValueType::number, counted},
    {"time", Operand::time_form, Reads::decimal, ValueType::number, counted},
    {"duration", Operand::unit, Reads::decimal, ValueType::number, counted},
    {"address", Operand::none, Reads::text, ValueType::address, of_text<address>},
    {"network", Operand::none, Reads::text, ValueType::address, of_text<network>},
    {"before", Operand::separator, Reads::text, ValueType::text, of_text<before>},
    {"after", Operand::separator, Reads::text, ValueType::text, of_text<after>},
    {"after_last", Operand::separator, Reads::text, ValueType::text, of_text<after_last>},
    {"basename", Operand::none, Reads::text, ValueType::text, of_text<basename>},
    {"lower", Operand::none, Reads::text, ValueType::text, of_text<in_case<'A', 'Z'>>},
    {"upper", Operand::none, Reads::text, ValueType::text, of_text<in_case<'a', 'z'>>},
    {"query", Operand::name, Reads::text, ValueType::text, of_text<query>},
    {"split", Operand::separator, Reads::text, ValueType::text, nullptr},
    {"listed", Operand::none, Reads::text, ValueType::text, nullptr},
    {"keys", Operand::none, Reads::any, ValueType::text, nullptr},
    {"nth", Operand::index, Reads::text, ValueType::text, nullptr},
    {"join", Operand::joint, Reads::text, ValueType::text, nullptr},
    {"without", Operand::texts, Reads::text, ValueType::text, nullptr},
    {"every", Operand::none, Reads::text, ValueType::text, nullptr},
    {"any", Operand::any_texts, Reads::text, ValueType::boolean, nullptr},
    {"exists", Operand::none, Reads::any, ValueType::boolean, nullptr},
    {"present", Operand::none, Reads::present, ValueType::boolean, nullptr},
};

}  // namespace

std::span<const Word> words() { return table; }

const Word* word_of(std::string_view name) {
  const auto* const found = std::find_if(std::begin(table), std::end(table), [&](const Word& each) { return each.name == name; });
  return found == std::end(table) ? nullptr : found;
}

}  // namespace lanner
