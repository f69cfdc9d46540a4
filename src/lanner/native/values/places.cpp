#include "values/search.hpp"

#include <algorithm>

namespace lanner {

using simdjson::dom::element;

namespace {

// Longer paths are searched step by step below this one: no event has them, and a search calls itself for each step
constexpr std::size_t max_steps = 16;

std::string padded(const std::string& name) { return name + std::string(sizeof(std::uint64_t), '\0'); }

}  // namespace

std::optional<element> member(element place, std::string_view name) {
  simdjson::dom::object object;
  if (place.get(object)) return std::nullopt;
  const auto end = object.end();
  auto last = end;  // of equal names the last counts
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

void NameTable::add(std::string_view name, std::uint32_t number) {
  names_.emplace_back(name);
  numbers_.push_back(number);
  if (4 * names_.size() <= slots_.size()) return put(names_.back(), number);
  slots_.assign(4 * slots_.size(), {{}, none_, nullptr});
  for (std::size_t each = 0; each < names_.size(); ++each) put(names_[each], numbers_[each]);
}

void NameTable::put(const std::string& name, std::uint32_t number) {
  const Key key(padded(name).data(), name.size());
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = key.hash() & mask;
  while (slots_[slot].number != none_) slot = (slot + 1) & mask;
  slots_[slot] = {key, number, name.data()};
}

std::pair<std::uint32_t, std::size_t> Places::add(const std::vector<Step>& steps) {
  std::uint32_t place = document;
  std::size_t count = 0;
  const auto has_place = [](const Step& step) {
    return std::holds_alternative<std::string>(step) || std::holds_alternative<std::uint64_t>(step);
  };
  while (count < std::min(steps.size(), max_steps) && has_place(steps[count])) place = below(place, steps[count++]);
  return {place, count};
}

std::uint32_t Places::below(std::uint32_t place, const Step& step) {
  const auto next = static_cast<std::uint32_t>(nodes_.size());
  if (const auto* name = std::get_if<std::string>(&step)) {
    auto& members = nodes_[place].members;
    if (const auto found = members.lookup()(padded(*name).data(), name->size()); found != other) return found;
    members.add(*name, next);
  } else {
    const auto index = std::get<std::uint64_t>(step);
    auto& items = nodes_[place].items;
    const auto found = std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.first == index; });
    if (found != items.end()) return found->second;
    items.emplace_back(index, next);
  }
  auto& node = nodes_.emplace_back();  // no other reference to a node is valid any more
  node.above = place;
  return next;
}

void Search::begin(simdjson::dom::element document) {
  if (found_.size() != places_.size()) {
    found_.resize(places_.size());
    for (std::size_t place = 0; place < found_.size(); ++place) found_[place].above = places_.nodes_[place].above;
  }
  ++turn_;
  auto& found = found_[Places::document];
  found.element = document;
  found.seen = turn_;
}

void Search::search(std::uint32_t place) {
  const auto* const whole = place == Places::document ? &found_[place].element : at(place);
  found_[place].searched = turn_;
  if (!whole) return;
  const auto& node = places_.nodes_[place];
  const auto put = [found = found_.data(), turn = turn_](std::uint32_t below, element value) {
    found[below].element = value;
    found[below].seen = turn;
  };
  simdjson::dom::object object;
  if (!whole->get(object)) {
    if (node.members.empty()) return;
    const auto number = node.members.lookup();
    const auto end = object.end();
    // of equal names the last counts
    for (auto at = object.begin(); at != end; ++at) put(number(at.key_c_str(), at.key_length()), at.value());
    return;
  }
  for (const auto& [index, below] : node.items) {
    if (const auto found = item(*whole, index)) put(below, *found);
  }
}

}  // namespace lanner
