#include "values/offsets.hpp"

#include <functional>
#include <optional>
#include <string>

#include "values/json_text.hpp"

namespace lanner {
namespace {

class Locator {
 public:
  Locator(std::string_view payload, Context& context) : text_(payload), context_(context) {}

  std::optional<Span> find(const Value& value, Reads reads = Reads::text) const {
    if (value.is_list) return std::nullopt;
    switch (value.kind) {
      case Value::Kind::path: {
        const auto found = walk(value.steps);
        if (!found || value.is_of_item) return std::nullopt;
        return text_.first(*found) == '"' && reads != Reads::raw ? Span{found->begin + 1, found->size - 2} : *found;
      }
      case Value::Kind::first:
        for (const auto& option : value.children) {
          if (!std::holds_alternative<std::monostate>(evaluate(option, context_, reads))) return find(option, reads);
        }
        return std::nullopt;
      case Value::Kind::when:
        return find(value.children[0], reads);
      case Value::Kind::word:
        return find_word(value);
      case Value::Kind::pointer:
      case Value::Kind::group:
      case Value::Kind::logfmt:
      case Value::Kind::cef:
        return find_part(evaluate(value, context_));
      default:
        return std::nullopt;
    }
  }

  std::vector<Span> names(const Value& value) const {
    std::vector<Span> spans;
    if (value.is_list) return spans;
    if (const auto object = walk(value.steps); object && text_.first(*object) == '{') {
      text_.each_member(*object, [&](Span key, Span) { spans.push_back(key); });
    }
    return spans;
  }

 private:
  // A string that is a part of the payload itself
  std::optional<Span> find_part(const Result& result) const {
    const auto* part = std::get_if<std::string_view>(&result);
    const auto whole = context_.payload;
    if (!part || std::less<>()(part->data(), whole.data()) || std::less<>()(whole.data() + whole.size(), part->data() + part->size()))
      return std::nullopt;
    return Span{static_cast<std::uint32_t>(part->data() - whole.data()), static_cast<std::uint32_t>(part->size())};
  }

  // The span of a number is its source text. The span of a string is known if it is a part of a string without escapes.
  std::optional<Span> find_word(const Value& value) const {
    const auto& operand = value.children[0];
    const auto reads = value.word->reads;
    const auto whole = find(operand, reads);
    const auto from = evaluate(operand, context_, reads);
    const auto made = value.word->make(from, value, context_);
    if (!whole || std::holds_alternative<std::monostate>(made)) return std::nullopt;
    const auto* part = std::get_if<std::string_view>(&made);
    if (!part || value.type == ValueType::address) return whole;
    const auto* text = std::get_if<std::string_view>(&from);
    const auto written = text_.of(*whole);
    if (!text || written != *text || std::less<>()(part->data(), text->data()) ||
        std::less<>()(text->data() + text->size(), part->data() + part->size()))
      return std::nullopt;
    return Span{whole->begin + static_cast<std::uint32_t>(part->data() - text->data()), static_cast<std::uint32_t>(part->size())};
  }

  std::optional<Span> walk(const std::vector<Step>& steps) const {
    Span place = text_.value(0);
    for (const auto& step : steps) {
      std::optional<Span> next;
      if (const auto* name = std::get_if<std::string>(&step)) {
        next = member(place, *name);
      } else if (const auto* number = std::get_if<std::uint64_t>(&step)) {
        next = item(place, *number);
      } else if (const auto* key = std::get_if<std::string_view>(&context_.given)) {
        next = member(place, *key);
      } else if (const auto* index = std::get_if<std::uint64_t>(&context_.given)) {
        next = item(place, *index);
      }
      if (!next) return std::nullopt;
      place = *next;
    }
    return place;
  }

  // A key with escapes cannot be compared, and then no member of the object is known: it might be the last with its name.
  std::optional<Span> member(Span place, std::string_view name) const {
    if (text_.first(place) != '{') return std::nullopt;
    std::optional<Span> found;
    bool is_sure = true;
    text_.each_member(place, [&](Span key, Span value) {
      if (text_.of(key).find('\\') != std::string_view::npos) is_sure = false;
      if (text_.of(key) == name) found = value;
    });
    return is_sure ? found : std::nullopt;
  }

  std::optional<Span> item(Span place, std::uint64_t number) const {
    return text_.first(place) == '[' ? text_.item(place, number) : std::nullopt;
  }

  const JsonText text_;
  Context& context_;
};

}  // namespace

std::vector<Span> locate(const Value& value, Document& document, std::string_view payload, const Given& given, std::size_t count,
                         Arena& arena) {
  auto context = document.context(given, arena);
  const Locator locator(payload, context);
  std::vector<Span> spans;
  if (value.kind == Value::Kind::keys) {
    spans = locator.names(value.children[0]);
  } else if (const auto found = locator.find(value)) {
    spans.push_back(*found);
  }
  // equal names are one value, so their spans are ambiguous
  if (spans.size() != count) spans.assign(count, Span{});
  return spans;
}

}  // namespace lanner
