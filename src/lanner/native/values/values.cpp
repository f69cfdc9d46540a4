// Trees of values over a parsed document. lanner.sdk.payload.evaluate is the reference.
#include "values/values.hpp"

#include <algorithm>
#include <atomic>
#include <set>
#include <tuple>

#include <utility>
#include "values/pointer.hpp"

#include "values/json_scalars.hpp"

namespace lanner {
namespace {

using List = std::vector<Scalar>;

bool has_value(const Result& result) { return !std::holds_alternative<std::monostate>(result); }

Scalar to_scalar(const Result& result) {
  const auto* text = std::get_if<std::string_view>(&result);
  return text ? Scalar::of(*text) : Scalar::of(std::get<std::uint64_t>(result));
}

// The place that a name, a number or the argument leads to, or none
std::uint32_t next_place(const Tape& tape, std::uint32_t place, const Step& step, const Given& given) {
  if (const auto* name = std::get_if<std::string>(&step)) return tape.member(place, MemberName(*name));
  if (const auto* number = std::get_if<std::uint64_t>(&step)) return tape.item(place, *number);
  if (const auto* key = std::get_if<std::string_view>(&given)) return tape.member(place, MemberName(*key));
  if (const auto* index = std::get_if<std::uint64_t>(&given)) return tape.item(place, *index);
  return Tape::none;
}

// The element at the end of a path without `EACH`, or none. Its steps without a place are walked: an argument, and those after it.
std::uint32_t find(const Value& value, Search& document, std::uint32_t item, const Given& given) {
  auto place = value.is_of_item ? item : document.at(value.place);
  for (auto at = value.placed; at != value.steps.size() && place != Tape::none; ++at)
    place = next_place(document.tape(), place, value.steps[at], given);
  return place;
}

// Whether the member `where.name` of an item is one of the strings, or exists
bool holds(const Where& where, std::uint32_t place, Context& context) {
  const auto found = context.document.tape().member(place, MemberName(where.name));
  if (found == Tape::none || where.texts.empty()) return found != Tape::none;
  const auto before = context.misfit;
  const auto result = read(found, context, Reads::scalar);
  context.misfit = before;
  const auto* text = std::get_if<std::string_view>(&result);
  return text && std::find(where.texts.begin(), where.texts.end(), *text) != where.texts.end();
}

// Counts a value of another type, which the field cannot have.
class Attempt {
 public:
  explicit Attempt(Context& context) : context_(context), before_(context.misfit) { context.misfit = Misfit::none; }
  void end(bool found) {
    if (!found && context_.misfit != Misfit::none && context_.misfits && !context_.is_excess()) {
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

// Calls take() with each place to which the steps lead, none for an item without it. False: they lead nowhere.
template <typename Take>
bool each_place(std::uint32_t place, std::span<const Step> steps, Context& context, Take&& take) {
  const auto& tape = context.document.tape();
  for (std::size_t number = 0; number < steps.size(); ++number) {
    const auto& step = steps[number];
    if (const auto* each = std::get_if<Each>(&step)) {
      if (!tape.is_array(place)) {
        unfit(place, context);
        return false;
      }
      const auto rest = steps.subspan(number + 1);
      const auto below = [&](std::uint32_t one) {
        if (rest.empty()) return take(one);
        Attempt attempt(context);
        const bool found = each_place(one, rest, context, take);
        attempt.end(found);
        if (!found) take(Tape::none);
      };
      if (each->at_index && !std::holds_alternative<std::monostate>(context.given)) {
        const auto* index = std::get_if<std::uint64_t>(&context.given);
        const auto one = index ? tape.item(place, *index) : Tape::none;
        if (one != Tape::none) below(one);
        return one != Tape::none;
      }
      for (auto one = tape.first(place), end = tape.end(place); one != end; one = tape.after(one)) below(one);
      return true;
    }
    if (const auto* where = std::get_if<Where>(&step)) {
      if (!holds(*where, place, context)) return true;
      continue;
    }
    place = next_place(tape, place, step, context.given);
    if (place == Tape::none) return false;
  }
  take(place);
  return true;
}

template <typename Take>
bool each_place(const Value& path, Context& context, Take&& take) {
  const auto place = path.is_of_item ? context.item : context.document.at(path.place);
  if (place == Tape::none) return false;
  return each_place(place, std::span(path.steps).subspan(path.placed), context, std::forward<Take>(take));
}

Found collect(const Value& value, Context& context, List& list, Reads reads);

// Adds the names of an object's members, each once.
void add_names(const Tape& tape, std::uint32_t object, List& list) {
  constexpr std::size_t few = 32;  // up to this number they are compared with each other
  const auto begin = list.size();
  std::set<std::string_view> seen;  // ordered: an attacker can choose names with equal hashes
  for (auto each = tape.first(object), end = tape.end(object); each != end; each = tape.after(each + 1)) {
    const auto name = until_nul(tape.text(each));
    const auto count = list.size() - begin;
    if (count == few) {
      for (auto at = begin; at < list.size(); ++at) seen.insert(list[at].text);
    }
    const bool is_new = count < few ? std::none_of(
                                          list.begin() + static_cast<std::ptrdiff_t>(begin), list.end(),
                                          [&](const Scalar& one) { return one.text == name; })
                                    : seen.insert(name).second;
    if (is_new) list.push_back(Scalar::of(name));
  }
}

Found collect_names(const Value& path, Context& context, List& list) {
  Found found;
  found.is_list = each_place(path, context, [&](std::uint32_t place) {
    const auto& tape = context.document.tape();
    if (place != Tape::none && tape.is_object(place)) return add_names(tape, place, list);
    found.is_complete = false;
    if (place == Tape::none) return;
    Attempt attempt(context);
    unfit(place, context);
    attempt.end(false);
  });
  return found;
}

Found collect_each(const Value& value, Context& context, List& list, Reads reads) {
  Found found;
  const auto& body = value.children[1];
  const auto outer = context.item;
  found.is_list = each_place(value.children[0], context, [&](std::uint32_t place) {
    if (place == Tape::none || context.is_excess()) {
      found.is_complete = false;
      return;
    }
    const auto around = context.item;
    context.item = place;
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

std::size_t room_of(const Scalar& value) { return 1 + (value.is_text ? value.text.size() : 0); }

// Computes a shared part once, and counts its uses. Too many leave it without a value, and the whole tree.
const Shared& share(const Value& value, Context& context, Reads reads) {
  static const Shared nothing;
  if (context.is_excess()) return nothing;
  const auto number = static_cast<std::size_t>(value.number);
  if (number >= context.shared.size()) context.shared.resize(number + 1);
  if (!context.shared[number].is_known) {
    Shared made;
    made.is_known = true;
    const auto before = std::exchange(context.misfit, Misfit::none);
    const auto& part = value.children[0];
    if (part.is_list) {
      auto& list = context.arena.items();
      made.found = collect(part, context, list, reads);
      for (const auto& each : list) made.room += room_of(each);
      made.result = Items(list);
    } else {
      made.result = evaluate(part, context, reads);
      if (has_value(made.result)) made.room = room_of(to_scalar(made.result));
    }
    made.misfit = std::exchange(context.misfit, before);
    context.shared[number] = made;  // the evaluation may have moved them
  }
  const auto& shared = context.shared[number];
  context.repeated += shared.room;
  if (context.is_excess()) return nothing;
  if (shared.misfit != Misfit::none) context.misfit = shared.misfit;
  return shared;
}

// Adds the items of a tree that is a list.
Found collect(const Value& value, Context& context, List& list, Reads reads) {
  const auto begin = list.size();
  Found found;
  switch (value.kind) {
    case Value::Kind::path:
      found.is_list = each_place(value, context, [&](std::uint32_t place) {
        Attempt attempt(context);
        const auto result = place != Tape::none ? read(place, context, reads) : Result{};
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
    case Value::Kind::shared: {
      const auto& shared = share(value, context, reads);
      if (const auto* items = std::get_if<Items>(&shared.result)) list.insert(list.end(), items->begin(), items->end());
      return shared.found;
    }
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

// A part of the payload as a line, or the value at a JSON pointer
Result part(const Value& value, Context& context) {
  std::optional<std::string_view> found;
  std::string_view name = value.text;
  if (value.takes_argument) {
    const auto* key = std::get_if<std::string_view>(&context.given);
    if (!key) return {};
    name = *key;
  }
  if (value.kind == Value::Kind::pointer) {
    if (context.has_pointers) found = at_pointer(context.payload, name, context.arena);
  } else if (value.kind == Value::Kind::group) {
    found = context.lines.group(value.place, value.number);
  } else if (value.kind == Value::Kind::logfmt) {
    found = context.lines.logfmt(name, context.arena);
  } else {
    found = context.lines.cef(name, context.arena);
  }
  return found ? Result{*found} : Result{};
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

Result evaluate(const Value& value, Context& context, Reads reads) {
  if (value.is_list) {
    auto& list = context.arena.items();
    collect(value, context, list, reads);
    return list.empty() ? Result{} : Result{Items(list)};
  }
  switch (value.kind) {
    case Value::Kind::path: {
      const auto element = find(value, context.document, context.item, context.given);
      return element != Tape::none ? read(element, context, reads) : Result{};
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
    case Value::Kind::shared:
      return share(value, context, reads).result;
    case Value::Kind::given:
      return std::uint64_t{!std::holds_alternative<std::monostate>(context.given)};
    case Value::Kind::constant:
      return std::string_view(value.text);
    case Value::Kind::concat:
      return concat(value, context);
    case Value::Kind::pointer:
    case Value::Kind::group:
    case Value::Kind::logfmt:
    case Value::Kind::cef:
      return part(value, context);
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
  if (context.is_excess()) {
    context.repeated = 0;  // it counts as a misfit
    context.misfit = Misfit::excess;
    attempt.end(false);
    return {};
  }
  attempt.end(has_value(result));
  return result;
}

}  // namespace lanner
