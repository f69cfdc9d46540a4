#include "values/places.hpp"

#include <algorithm>

namespace lanner {

namespace {

// Longer paths are searched step by step below this one: no event has them, and a search calls itself for each step
constexpr std::size_t max_steps = 16;

std::string padded(const std::string& name) { return name + std::string(sizeof(std::uint64_t), '\0'); }

}  // namespace

void NameTable::add(std::string_view name, std::uint32_t number) {
  names_.emplace_back(name);
  numbers_.push_back(number);
  if (4 * names_.size() <= slots_.size()) return put(names_.back(), number);
  slots_.assign(4 * slots_.size(), {});
  for (std::size_t each = 0; each < names_.size(); ++each) put(names_[each], numbers_[each]);
}

void NameTable::put(const std::string& name, std::uint32_t number) {
  const Key key(padded(name).data(), name.size());
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = key.hash() & mask;
  while (slots_[slot].number != none) slot = (slot + 1) & mask;
  slots_[slot] = {key.head, key.tail, static_cast<std::uint32_t>(key.size), number, name.data()};
}

std::pair<std::uint32_t, std::size_t> Places::add(const std::vector<Step>& steps) {
  forms.reads_json = true;
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
    if (const auto found = members.lookup()(padded(*name).data(), name->size()); found != NameTable::none) return found;
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

void Search::begin() {
  if (++turn_ == 0 || found_.size() != places_.size()) {
    turn_ = 1;
    found_.assign(places_.size(), {Tape::none, 0});
    searched_.assign(places_.size(), 0);
  }
  found_[Places::document] = {Tape::none, turn_};
}

void Search::begin(const Tape& tape) {
  begin();
  tape_ = tape;
  found_[Places::document] = {Tape::document, turn_};
}

void Search::search(std::uint32_t place) {
  const auto whole = place == Places::document ? found_[place].element : at(place);
  searched_[place] = turn_;
  if (whole == Tape::none) return;
  const auto& node = places_.nodes_[place];
  const Tape tape = tape_;
  Found* const found = found_.data();
  const auto turn = turn_;
  if (tape.is_object(whole)) {
    if (node.members.empty()) return;
    const auto number = node.members.lookup();
    const auto end = tape.end(whole);
    for (auto name = tape.first(whole); name != end;) {
      const auto text = tape.text(name);
      const auto value = name + 1;
      found[number(text.data(), text.size())] = {value, turn};  // of equal names the last counts
      name = tape.after(value);
    }
  } else if (tape.is_array(whole)) {
    for (const auto& [index, below] : node.items) {
      if (const auto element = tape.item(whole, index); element != Tape::none) found[below] = {element, turn};
    }
  }
}

}  // namespace lanner
