// Trees of values over a simdjson document. lanner.sdk.evaluate is the reference.
#include "values/values.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "values/context.hpp"

namespace lanner {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using List = std::vector<Scalar>;

// Whether an event has a list, and whether no item of it was left out
struct Found {
  bool is_list = false;
  bool is_complete = true;
};

// C hosts read a text only up to its first NUL.
std::string_view until_nul(std::string_view text) { return text.substr(0, text.find('\0')); }

bool has_value(const Result& result) { return !std::holds_alternative<std::monostate>(result); }

Scalar to_scalar(const Result& result) {
  const auto* text = std::get_if<std::string_view>(&result);
  return text ? Scalar::of(*text) : Scalar::of(std::get<std::uint64_t>(result));
}

// The place that a name, a number or the argument leads to
std::optional<element> next_place(element place, const Step& step, const Given& given) {
  if (const auto* name = std::get_if<std::string>(&step)) return member(place, *name);
  if (const auto* number = std::get_if<std::uint64_t>(&step)) return item(place, *number);
  if (const auto* key = std::get_if<std::string_view>(&given)) return member(place, *key);
  if (const auto* index = std::get_if<std::uint64_t>(&given)) return item(place, *index);
  return std::nullopt;
}

// Walks the steps that have no place: an argument, and those after it.
std::optional<element> walk(element place, std::span<const Step> steps, const Given& given) {
  for (const auto& step : steps) {
    const auto next = next_place(place, step, given);
    if (!next) return std::nullopt;
    place = *next;
  }
  return place;
}

// Where a path begins, and its steps from there
const element* begin_of(const Value& value, Search& document, const element& item, std::span<const Step>& steps) {
  steps = std::span(value.steps).subspan(value.placed);
  return value.is_of_item ? &item : document.at(value.place);
}

// The element at the end of a path that is no list, null if the document has none. Uses `walked` for one that has no place.
const element* find(const Value& value, Search& document, const element& item, const Given& given, element& walked) {
  std::span<const Step> steps;
  const element* const place = begin_of(value, document, item, steps);
  if (!place || steps.empty()) return place;
  const auto found = walk(*place, steps, given);
  if (!found) return nullptr;
  walked = *found;
  return &walked;
}

// Numbers that simdjson cannot read were rewritten to null
bool is_rewritten_number(element found, Tokens& tokens) {
  return tokens.is_rewritten() && found.type() == element_type::NULL_VALUE && tokens.of(found) != "null";
}

Misfit misfit_of(element found, Tokens& tokens) {
  switch (found.type()) {
    case element_type::ARRAY:
      return Misfit::array;
    case element_type::OBJECT:
      return Misfit::object;
    case element_type::STRING:
      return Misfit::text;
    case element_type::BOOL:
      return Misfit::boolean;
    case element_type::NULL_VALUE:
      return is_rewritten_number(found, tokens) ? Misfit::number : Misfit::none;
    default:
      return Misfit::number;
  }
}

Result unfit(element found, Context& context) {
  if (const auto misfit = misfit_of(found, context.tokens); misfit != Misfit::none) context.misfit = misfit;
  return {};
}

// Digits, and with `fraction` perhaps a fraction
bool is_decimal(std::string_view text, bool fraction) {
  const auto digits = text.find_first_not_of("0123456789");
  if (digits == std::string_view::npos) return true;
  return fraction && text[digits] == '.' && text.find_first_not_of("0123456789", digits + 1) == std::string_view::npos;
}

Result read_number(element found, Context& context, Reads reads) {
  auto& tokens = context.tokens;
  std::uint64_t natural;
  // get() converts no double to an integer
  if (!tokens.is_rewritten() && !found.get(natural) && (natural != 0 || !tokens.is_negative_zero(found))) {
    if (reads != Reads::scalar) return natural;
    return std::string_view(context.arena.take() = std::to_string(natural));
  }
  const auto text = tokens.of(found);
  if (reads == Reads::scalar || is_decimal(text, reads == Reads::decimal)) return text;
  context.misfit = Misfit::number;
  return {};
}

Result read(element found, Context& context, Reads reads) {
  std::string_view text;
  if (reads == Reads::any) return std::uint64_t{1};
  if (reads == Reads::raw) return context.tokens.compact(found, context.arena);
  if (!found.get(text) && reads != Reads::present) return until_nul(text);
  if (reads == Reads::text) return unfit(found, context);
  switch (found.type()) {
    case element_type::NULL_VALUE:
      if (!is_rewritten_number(found, context.tokens)) return {};
      break;
    case element_type::BOOL:
      if (reads != Reads::scalar && reads != Reads::boolean && reads != Reads::present) return unfit(found, context);
      return std::string_view(bool(found) ? "true" : "false");
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE:
      break;
    default:
      return reads == Reads::present ? Result{std::uint64_t{1}} : unfit(found, context);
  }
  if (reads == Reads::present) return std::uint64_t{1};
  return reads == Reads::boolean ? unfit(found, context) : read_number(found, context, reads);
}

// Whether the member `where.name` of an item is one of the texts, or exists
bool holds(const Where& where, element place, Context& context) {
  const auto found = member(place, where.name);
  if (!found || where.texts.empty()) return found.has_value();
  const auto before = context.misfit;
  const auto result = read(*found, context, Reads::scalar);
  context.misfit = before;
  const auto* text = std::get_if<std::string_view>(&result);
  return text && std::find(where.texts.begin(), where.texts.end(), *text) != where.texts.end();
}

// Counts that there is no value because one has another type.
class Attempt {
 public:
  explicit Attempt(Context& context) : context_(context), before_(context.misfit) { context.misfit = Misfit::none; }
  void end(bool found) {
    if (!found && context_.misfit != Misfit::none && context_.misfits) {
      // only this thread writes; others may read the counters meanwhile
      const std::atomic_ref count((*context_.misfits)[static_cast<std::size_t>(context_.misfit)]);
      count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    context_.misfit = before_;
  }

 private:
  Context& context_;
  const Misfit before_;
};

// Calls take() with each place to which the steps lead, null for an item without it. False: they lead nowhere.
template <typename Take>
bool each_place(element place, std::span<const Step> steps, Context& context, Take&& take) {
  for (std::size_t number = 0; number < steps.size(); ++number) {
    const auto& step = steps[number];
    if (const auto* each = std::get_if<Each>(&step)) {
      simdjson::dom::array array;
      if (place.get(array)) {
        unfit(place, context);
        return false;
      }
      const auto rest = steps.subspan(number + 1);
      const auto below = [&](element one) {
        if (rest.empty()) return take(&one);
        Attempt attempt(context);
        const bool found = each_place(one, rest, context, take);
        attempt.end(found);
        if (!found) take(nullptr);
      };
      if (each->at_index && !std::holds_alternative<std::monostate>(context.given)) {
        const auto* index = std::get_if<std::uint64_t>(&context.given);
        const auto one = index ? item(place, *index) : std::nullopt;
        if (one) below(*one);
        return one.has_value();
      }
      for (const auto one : array) below(one);
      return true;
    }
    if (const auto* where = std::get_if<Where>(&step)) {
      if (!holds(*where, place, context)) return true;
      continue;
    }
    const auto next = next_place(place, step, context.given);
    if (!next) return false;
    place = *next;
  }
  take(&place);
  return true;
}

template <typename Take>
bool each_place(const Value& path, Context& context, Take&& take) {
  std::span<const Step> steps;
  const element* const place = begin_of(path, context.document, context.item, steps);
  if (!place) return false;
  const auto begin = *place;
  return each_place(begin, steps, context, std::forward<Take>(take));
}

Found collect(const Value& value, Context& context, List& list, Reads reads);

// Adds the names of an object's members, each once.
void add_names(simdjson::dom::object object, List& list) {
  constexpr std::size_t few = 32;  // up to this number they are compared with each other
  const auto begin = list.size();
  std::unordered_set<std::string_view> seen;
  for (const auto field : object) {
    const auto name = until_nul(field.key);
    const auto count = list.size() - begin;
    if (count == few) {
      for (auto at = begin; at < list.size(); ++at) seen.insert(list[at].text);
    }
    const bool is_new = count < few ? std::none_of(
                                          list.begin() + static_cast<std::ptrdiff_t>(begin), list.end(),
                                          [&](const Scalar& each) { return each.text == name; })
                                    : seen.insert(name).second;
    if (is_new) list.push_back(Scalar::of(name));
  }
}

Found collect_names(const Value& path, Context& context, List& list) {
  Found found;
  found.is_list = each_place(path, context, [&](const element* place) {
    simdjson::dom::object object;
    if (place && !place->get(object)) return add_names(object, list);
    found.is_complete = false;
    if (!place) return;
    Attempt attempt(context);
    unfit(*place, context);
    attempt.end(false);
  });
  return found;
}

Found collect_each(const Value& value, Context& context, List& list, Reads reads) {
  Found found;
  const auto& body = value.children[1];
  const auto outer = context.item;
  found.is_list = each_place(value.children[0], context, [&](const element* place) {
    if (!place) {
      found.is_complete = false;
      return;
    }
    const auto around = context.item;
    context.item = *place;
    Attempt attempt(context);
    if (body.is_list) {
      const auto inner = collect(body, context, list, reads);
      found.is_complete &= inner.is_list && inner.is_complete;
      attempt.end(inner.is_list);
    } else {
      const auto result = evaluate(body, context, reads);
      const bool exists = has_value(result);
      attempt.end(exists);
      found.is_complete &= exists;
      if (exists) list.push_back(to_scalar(result));
    }
    context.item = around;
  });
  context.item = outer;
  return found;
}

// Applies a word to the items of the list from `begin`.
bool apply(const Value& value, Context& context, List& list, std::size_t begin) {
  auto kept = begin;
  for (auto at = begin; at < list.size(); ++at) {
    Attempt attempt(context);
    const auto& each = list[at];
    const auto result = value.word->make(each.is_text ? Result{each.text} : Result{each.number}, value, context);
    attempt.end(has_value(result));
    if (has_value(result)) list[kept++] = to_scalar(result);
  }
  const bool is_complete = kept == list.size();
  list.resize(kept);
  return is_complete;
}

void split(std::string_view text, std::string_view separator, List& list) {
  for (;;) {
    const auto at = text.find(separator);
    list.push_back(Scalar::of(text.substr(0, at)));
    if (at == std::string_view::npos) return;
    text.remove_prefix(at + separator.size());
  }
}

bool is_among(const Scalar& each, const std::vector<std::string>& texts) {
  return std::find(texts.begin(), texts.end(), each.text) != texts.end();
}

bool holds(const Value& value, Context& context) {
  const auto& condition = value.children[1];
  // conditions count nothing
  const auto misfit = context.misfit;
  auto* const misfits = std::exchange(context.misfits, nullptr);
  bool holds = false;
  if (condition.is_list) {
    auto& list = context.arena.items();
    collect(condition, context, list, Reads::text);
    holds = !list.empty();
  } else {
    const auto result = evaluate(condition, context);
    const auto* text = std::get_if<std::string_view>(&result);
    if (!value.texts.empty()) {
      holds = text && std::find(value.texts.begin(), value.texts.end(), *text) != value.texts.end();
    } else {
      const auto* number = std::get_if<std::uint64_t>(&result);
      holds = text || (number && (*number != 0 || condition.type != ValueType::boolean));
    }
  }
  context.misfit = misfit;
  context.misfits = misfits;
  return holds != value.is_negated;
}

// Adds the items of a tree that is a list.
Found collect(const Value& value, Context& context, List& list, Reads reads) {
  const auto begin = list.size();
  Found found;
  switch (value.kind) {
    case Value::Kind::path:
      found.is_list = each_place(value, context, [&](const element* place) {
        Attempt attempt(context);
        const auto result = place ? read(*place, context, reads) : Result{};
        attempt.end(has_value(result));
        found.is_complete &= has_value(result);
        if (has_value(result)) list.push_back(to_scalar(result));
      });
      return found;
    case Value::Kind::first:
      for (const auto& option : value.children) {
        found = collect(option, context, list, reads);
        if (list.size() > begin) return found;
      }
      return {};
    case Value::Kind::when:
      return holds(value, context) ? collect(value.children[0], context, list, reads) : Found{};
    case Value::Kind::each:
      return collect_each(value, context, list, reads);
    case Value::Kind::keys:
      return collect_names(value.children[0], context, list);
    case Value::Kind::split: {
      const auto result = evaluate(value.children[0], context);
      const auto* text = std::get_if<std::string_view>(&result);
      if (!text) return {};
      split(*text, value.text, list);
      found.is_list = true;
      return found;
    }
    case Value::Kind::listed: {
      const auto result = evaluate(value.children[0], context, reads);
      if (!has_value(result)) return {};
      list.push_back(to_scalar(result));
      found.is_list = true;
      return found;
    }
    case Value::Kind::without: {
      found = collect(value.children[0], context, list, Reads::text);
      const auto first = list.begin() + static_cast<std::ptrdiff_t>(begin);
      list.erase(std::remove_if(first, list.end(), [&](const Scalar& each) { return is_among(each, value.texts); }), list.end());
      return found;
    }
    case Value::Kind::every:
      found = collect(value.children[0], context, list, reads);
      if (found.is_list && found.is_complete) return found;
      list.resize(begin);
      return {};
    default:
      found = collect(value.children[0], context, list, value.word->reads);
      if (found.is_list) found.is_complete &= apply(value, context, list, begin);
      return found;
  }
}

Result join(const List& list, std::string_view separator, Context& context) {
  auto& text = context.arena.take();
  for (std::size_t at = 0; at < list.size(); ++at) {
    if (at) text += separator;
    text += list[at].text;
  }
  return std::string_view(text);
}

// The value that a word makes of a list
Result of_list(const Value& value, Context& context, Reads reads) {
  auto& list = context.arena.items();
  const auto& operand = value.children[0];
  if (value.kind == Value::Kind::exists) {
    collect(operand, context, list, value.word->reads);
    return std::uint64_t{!list.empty()};
  }
  const auto found = collect(operand, context, list, value.kind == Value::Kind::nth ? reads : Reads::text);
  if (!found.is_list) return {};
  if (value.kind == Value::Kind::join) return join(list, value.text, context);
  if (value.kind == Value::Kind::any) {
    return std::uint64_t{std::any_of(list.begin(), list.end(), [&](const Scalar& each) {
      return value.texts.empty() ? each.number != 0 : is_among(each, value.texts);
    })};
  }
  auto index = value.number;
  if (value.takes_argument) {
    const auto* given = std::get_if<std::uint64_t>(&context.given);
    if (!given) return {};
    index = *given;
  }
  if (index >= list.size()) return {};
  return list[index].is_text ? Result{list[index].text} : Result{list[index].number};
}

Result concat(const Value& value, Context& context) {
  auto& text = context.arena.take();
  for (const auto& child : value.children) {
    const auto result = evaluate(child, context);
    const auto* part = std::get_if<std::string_view>(&result);
    if (!part) return {};
    text += *part;
  }
  return std::string_view(text);
}

}  // namespace

Value make_path(std::vector<Step> steps, bool is_of_item, Places& places) {
  Value value;
  value.is_of_item = is_of_item;
  if (!is_of_item) std::tie(value.place, value.placed) = places.add(steps);
  value.is_list = std::any_of(steps.begin(), steps.end(), [](const Step& step) { return std::holds_alternative<Each>(step); });
  value.steps = std::move(steps);
  return value;
}

Value make_keys(Value path) {
  Value value;
  value.kind = Value::Kind::keys;
  value.is_list = true;
  value.word = word_of("keys");
  value.children.push_back(std::move(path));
  return value;
}

const char* text_at(const Value& value, Search& document, const Given& given) {
  element walked;
  const element* const found = find(value, document, {}, given, walked);
  const char* text;
  return found && !found->get(text) ? text : nullptr;
}

Result evaluate(const Value& value, Context& context, Reads reads) {
  if (value.is_list) {
    auto& list = context.arena.items();
    collect(value, context, list, reads);
    return list.empty() ? Result{} : Result{Items(list)};
  }
  switch (value.kind) {
    case Value::Kind::path: {
      element walked;
      const element* const found = find(value, context.document, context.item, context.given, walked);
      return found ? read(*found, context, reads) : Result{};
    }
    case Value::Kind::first:
      for (const auto& option : value.children) {
        auto result = evaluate(option, context, reads);
        if (has_value(result)) return result;
      }
      return {};
    case Value::Kind::when: {
      if (value.has_lists) return holds(value, context) ? evaluate(value.children[0], context, reads) : Result{};
      // the value before its condition: most events lack it
      const auto before = context.misfit;
      const auto result = evaluate(value.children[0], context, reads);
      if (!has_value(result) && context.misfit == before) return {};
      if (holds(value, context)) return result;
      context.misfit = before;
      return {};
    }
    case Value::Kind::given:
      return std::uint64_t{!std::holds_alternative<std::monostate>(context.given)};
    case Value::Kind::constant:
      return std::string_view(value.text);
    case Value::Kind::concat:
      return concat(value, context);
    case Value::Kind::word:
      return value.word->make(evaluate(value.children[0], context, value.word->reads), value, context);
    case Value::Kind::exists:
      if (!value.children[0].is_list) return std::uint64_t{has_value(evaluate(value.children[0], context, value.word->reads))};
      [[fallthrough]];
    default:
      return of_list(value, context, reads);
  }
}

Result evaluate_field(const Value& value, Context& context) {
  Attempt attempt(context);
  const auto result = evaluate(value, context);
  attempt.end(has_value(result));
  return result;
}

}  // namespace lanner
