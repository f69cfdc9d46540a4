// The payload is valid JSON here, because it was parsed before. So this walks its text without checks.
#include "values/offsets.hpp"

#include <cstring>
#include <functional>
#include <optional>
#include <string>

namespace lanner {
namespace {

class JsonText {
 public:
  explicit JsonText(std::string_view all) : all_(all) {}

  // The value that begins at or after `at`, without blanks around it.
  Span value(std::size_t at) const {
    at = skip_blanks(at);
    return {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(after_value(at) - at)};
  }

  // Calls take(key, value) with the spans of each member's key, between its quotes, and of its value.
  template <typename Take>
  void each_member(Span object, Take&& take) const {
    for (std::size_t at = object.begin; (at = next_item(at, '}'));) {
      const Span key = value(at);
      at = skip_blanks(key.begin + key.size) + 1;
      const Span item = value(at);
      take(Span{key.begin + 1, key.size - 2}, item);
      at = item.begin + item.size;
    }
  }

  std::optional<Span> item(Span array, std::uint64_t number) const {
    for (std::size_t at = array.begin; (at = next_item(at, ']'));) {
      const Span each = value(at);
      if (number-- == 0) return each;
      at = each.begin + each.size;
    }
    return std::nullopt;
  }

  std::string_view of(Span span) const { return all_.substr(span.begin, span.size); }
  char first(Span span) const { return all_[span.begin]; }

 private:
  std::size_t skip_blanks(std::size_t at) const {
    while (at < all_.size() && std::memchr(" \t\n\r", all_[at], 4)) ++at;
    return at;
  }

  // The offset after the next bracket or comma; 0 at the end of the object or array.
  std::size_t next_item(std::size_t at, char end) const {
    at = skip_blanks(at);
    if (at >= all_.size() || all_[at] == end) return 0;
    const std::size_t next = skip_blanks(at + 1);
    return next >= all_.size() || all_[next] == end ? 0 : next;
  }

  std::size_t after_text(std::size_t at) const {
    for (++at; at < all_.size() && all_[at] != '"'; ++at) {
      if (all_[at] == '\\') ++at;
    }
    return at + 1;
  }

  std::size_t after_value(std::size_t at) const {
    std::size_t depth = 0;
    do {
      if (at >= all_.size()) return all_.size();
      const char c = all_[at];
      if (c == '"') {
        at = after_text(at);
      } else {
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        ++at;
        if (!depth && !std::strchr("{}[]", c)) {
          while (at < all_.size() && !std::memchr(",]} \t\n\r", all_[at], 7)) ++at;
        }
      }
    } while (depth);
    return at;
  }

  const std::string_view all_;
};

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
  // The span of a number is its source text. The span of a text is known if it is a part of a text without escapes.
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
  Context context{*document.search(), *document.tokens(), given, arena};
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
