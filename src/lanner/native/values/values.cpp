// The words of lanner.sdk.values over a simdjson document. lanner.sdk.evaluate is the reference.
#include "values/values.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <unordered_set>

#include <simdjson.h>

namespace lanner {
namespace {

using simdjson::dom::element;

// C hosts read a text only up to its first NUL.
std::string_view until_nul(std::string_view text) { return text.substr(0, text.find('\0')); }

// Of equal names the last counts.
std::optional<element> member(element place, std::string_view name) {
  simdjson::dom::object object;
  if (place.get(object)) return std::nullopt;
  const auto end = object.end();
  auto last = end;
  for (auto at = object.begin(); at != end; ++at) {
    if (at.key_equals(name)) last = at;
  }
  return last != end ? std::optional(last.value()) : std::nullopt;
}

std::optional<element> item(element place, std::uint64_t number) {
  simdjson::dom::array array;
  if (place.get(array)) return std::nullopt;
  for (const auto each : array) {
    if (number-- == 0) return each;
  }
  return std::nullopt;
}

std::optional<element> walk(element place, const std::vector<Step>& steps, const Given& given) {
  for (const auto& step : steps) {
    std::optional<element> next;
    if (const auto* name = std::get_if<std::string>(&step)) {
      next = member(place, *name);
    } else if (const auto* number = std::get_if<std::uint64_t>(&step)) {
      next = item(place, *number);
    } else if (const auto* key = std::get_if<std::string_view>(&given)) {
      next = member(place, *key);
    } else if (const auto* index = std::get_if<std::uint64_t>(&given)) {
      next = item(place, *index);
    }
    if (!next) return std::nullopt;
    place = *next;
  }
  return place;
}

Result read(element found, bool number) {
  std::string_view text;
  if (!found.get(text)) return until_nul(text);
  std::uint64_t integer;
  // get() converts no double to an integer
  if (number && !found.get(integer)) return integer;
  return {};
}

// A word on a text
template <Result (*make)(std::string_view text, const Value& value, Arena& arena)>
Result of_text(const Result& operand, const Value& value, Arena& arena) {
  const auto* text = std::get_if<std::string_view>(&operand);
  return text ? make(*text, value, arena) : Result{};
}

Result before(std::string_view text, const Value& value, Arena&) { return text.substr(0, text.find(value.separator)); }

Result after(std::string_view text, const Value& value, Arena&) {
  const auto at = text.find(value.separator);
  return at == std::string_view::npos ? Result{} : Result{text.substr(at + value.separator.size())};
}

Result after_last(std::string_view text, const Value& value, Arena&) {
  const auto at = text.rfind(value.separator);
  return at == std::string_view::npos ? text : text.substr(at + value.separator.size());
}

Result to_unsigned(const Result& operand, const Value& value, Arena&) {
  std::uint64_t integer = 0;
  if (const auto* text = std::get_if<std::string_view>(&operand)) {
    // 20 digits suffice for every unsigned 64-bit integer; longer texts with leading zeros do not occur
    const char* end = text->data() + text->size();
    if (text->empty() || text->size() > 20 || !std::all_of(text->begin(), text->end(), [](char c) { return c >= '0' && c <= '9'; }))
      return {};
    if (std::from_chars(text->data(), end, integer).ec != std::errc{}) return {};
  } else if (const auto* number = std::get_if<std::uint64_t>(&operand)) {
    integer = *number;
  } else {
    return {};
  }
  std::uint64_t product;
  if (__builtin_mul_overflow(integer, value.factor, &product)) return {};
  return product;
}

// In the order of lanner.sdk.values
constexpr Word table[] = {
    {"before", Word::Operand::separator, false, of_text<before>},
    {"after", Word::Operand::separator, false, of_text<after>},
    {"after_last", Word::Operand::separator, false, of_text<after_last>},
    {"integer", Word::Operand::none, true, to_unsigned},
    {"time", Word::Operand::unit, true, to_unsigned},
};

}  // namespace

std::span<const Word> words() { return table; }

const Word* word_of(std::string_view name) {
  const auto* const found = std::find_if(std::begin(table), std::end(table), [&](const Word& each) { return each.name == name; });
  return found == std::end(table) ? nullptr : found;
}

void read_names(const Value& value, element document, const Given& given, Names& names) {
  constexpr std::size_t few = 32;  // up to this number they are compared with each other
  names.clear();
  const auto found = walk(document, value.steps, given);
  simdjson::dom::object object;
  if (!found || found->get(object)) return;
  std::unordered_set<std::string_view> seen;
  for (const auto field : object) {
    const auto name = until_nul(field.key);
    if (names.size() == few) seen.insert(names.begin(), names.end());
    if (names.size() < few ? std::find(names.begin(), names.end(), name) == names.end() : seen.insert(name).second) names.push_back(name);
  }
}

const char* text_at(const std::vector<Step>& steps, element document, const Given& given) {
  const auto found = walk(document, steps, given);
  const char* text;
  return found && !found->get(text) ? text : nullptr;
}

Result evaluate(const Value& value, element document, const Given& given, Arena& arena, bool number) {
  switch (value.kind) {
    case Value::Kind::path: {
      const auto found = walk(document, value.steps, given);
      return found ? read(*found, number) : Result{};
    }
    case Value::Kind::first:
      for (const auto& option : value.children) {
        auto result = evaluate(option, document, given, arena, number);
        if (!std::holds_alternative<std::monostate>(result)) return result;
      }
      return {};
    case Value::Kind::when: {
      const auto condition = evaluate(value.children[1], document, given, arena);
      const auto* text = std::get_if<std::string_view>(&condition);
      if (!text || std::find(value.texts.begin(), value.texts.end(), *text) == value.texts.end()) return {};
      return evaluate(value.children[0], document, given, arena, number);
    }
    case Value::Kind::word:
      return value.word->make(evaluate(value.children[0], document, given, arena, value.word->reads_numbers), value, arena);
    case Value::Kind::keys: {
      Names names;
      read_names(value, document, given, names);
      if (names.empty()) return {};
      return names;
    }
  }
  return {};
}

}  // namespace lanner
