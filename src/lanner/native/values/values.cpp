// The words of lanner.sdk.values over a simdjson document. lanner.sdk.evaluate is the reference.
#include "values/values.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <tuple>
#include <unordered_set>

namespace lanner {
namespace {

using simdjson::dom::element;

// C hosts read a text only up to its first NUL.
std::string_view until_nul(std::string_view text) { return text.substr(0, text.find('\0')); }

// Walks the steps that have no place: an argument, and those after it.
std::optional<element> walk(element place, std::span<const Step> steps, const Given& given) {
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

// The element at the end of a path, null if the document has none. Uses `walked` for one that has no place.
const element* find(const Value& value, Search& document, const Given& given, element& walked) {
  const element* const place = document.at(value.place);
  if (!place || value.placed == value.steps.size()) return place;
  const auto found = walk(*place, std::span(value.steps).subspan(value.placed), given);
  if (!found) return nullptr;
  walked = *found;
  return &walked;
}

Result read(element found, bool number) {
  std::string_view text;
  if (!found.get(text)) return until_nul(text);
  std::uint64_t integer;
  // get() converts no double to an integer
  if (number && !found.get(integer)) return integer;
  return {};
}

Result names_at(const Value& value, Search& document, const Given& given, Arena& arena) {
  constexpr std::size_t few = 32;  // up to this number they are compared with each other
  element walked;
  const element* const found = find(value, document, given, walked);
  simdjson::dom::object object;
  if (!found || found->get(object)) return {};
  auto& names = arena.list();
  std::unordered_set<std::string_view> seen;
  for (const auto field : object) {
    const auto name = until_nul(field.key);
    if (names.size() == few) seen.insert(names.begin(), names.end());
    if (names.size() < few ? std::find(names.begin(), names.end(), name) == names.end() : seen.insert(name).second) names.push_back(name);
  }
  return names.empty() ? Result{} : Result{Names(names)};
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

Value make_path(Value::Kind kind, std::vector<Step> steps, Places& places) {
  Value value;
  value.kind = kind;
  std::tie(value.place, value.placed) = places.add(steps);
  value.steps = std::move(steps);
  return value;
}

const char* text_at(const Value& value, Search& document, const Given& given) {
  element walked;
  const element* const found = find(value, document, given, walked);
  const char* text;
  return found && !found->get(text) ? text : nullptr;
}

Result evaluate(const Value& value, Search& document, const Given& given, Arena& arena, bool number) {
  switch (value.kind) {
    case Value::Kind::path: {
      element walked;
      const element* const found = find(value, document, given, walked);
      return found ? read(*found, number) : Result{};
    }
    case Value::Kind::first:
      for (const auto& option : value.children) {
        auto result = evaluate(option, document, given, arena, number);
        if (!std::holds_alternative<std::monostate>(result)) return result;
      }
      return {};
    case Value::Kind::when: {
      // the value before its condition: most events lack it
      const auto result = evaluate(value.children[0], document, given, arena, number);
      if (std::holds_alternative<std::monostate>(result)) return {};
      const auto condition = evaluate(value.children[1], document, given, arena);
      const auto* text = std::get_if<std::string_view>(&condition);
      return text && std::find(value.texts.begin(), value.texts.end(), *text) != value.texts.end() ? result : Result{};
    }
    case Value::Kind::word:
      return value.word->make(evaluate(value.children[0], document, given, arena, value.word->reads_numbers), value, arena);
    case Value::Kind::keys:
      return names_at(value, document, given, arena);
  }
  return {};
}

}  // namespace lanner
