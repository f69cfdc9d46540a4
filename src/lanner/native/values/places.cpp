#include "values/places.hpp"

#include <algorithm>
#include <utility>

namespace lanner {

namespace {

// Longer paths are searched step by step below this one: no event has them, and a search calls itself for each step
constexpr std::size_t max_steps = 16;

// As on a tape
std::string stored(std::string_view name) {
  const auto size = static_cast<std::uint32_t>(name.size());
  std::string result(sizeof size, '\0');
  std::memcpy(result.data(), &size, sizeof size);
  result += name;
  return result.append(sizeof(std::uint64_t), '\0');
}

}  // namespace

std::string_view NameTable::add(std::string_view name, std::uint32_t number) {
  const auto& copy = names_.emplace_back(stored(name));
  numbers_.push_back(number);
  constexpr std::size_t few = 64;
  constexpr int most_tries = 64;
  const bool fits = 4 * names_.size() <= slots_.size();
  bool is_alone = fits && put(copy, number);
  if (!fits) slots_.resize(4 * slots_.size());
  if (!fits) is_alone = put_all();
  for (int tries = 0; !is_alone && names_.size() <= few && tries < most_tries; ++tries) {
    factor_ = factor_ * 6364136223846793005 + 1442695040888963407;  // the next pseudorandom number
    is_alone = put_all();
  }
  return std::string_view(copy).substr(sizeof(std::uint32_t), name.size());
}

bool NameTable::put_all() {
  slots_.assign(slots_.size(), {});
  bool are_alone = true;
  for (std::size_t each = 0; each < names_.size(); ++each) are_alone &= put(names_[each], numbers_[each]);
  return are_alone;
}

// Returns whether the name's own slot was free.
bool NameTable::put(const std::string& stored, std::uint32_t number) {
  const Key key(stored.data());
  const std::size_t mask = slots_.size() - 1;
  const std::size_t own = key.hash(factor_) / sizeof(Entry) & mask;
  std::size_t slot = own;
  while (slots_[slot].number != none) slot = (slot + 1) & mask;
  slots_[slot] = {key, stored.data(), key.size() > longest_key ? number | is_long : number};
  return slot == own;
}

std::uint32_t NameTable::Lookup::find_from(std::size_t offset, Key key, const char* stored, Lookup lookup) {
  for (;; offset = (offset + sizeof(Entry)) & lookup.mask_) {
    const auto& entry = *reinterpret_cast<const Entry*>(lookup.slots_ + offset);
    if (entry.number == none) return none;
    if (entry.key == key && std::memcmp(entry.stored, stored, sizeof(std::uint32_t) + key.size()) == 0) return entry.number & ~is_long;
  }
}

std::uint32_t NameTable::find(std::string_view name) const { return lookup()(stored(name).data()); }

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
  Node node;
  node.above = place;
  if (const auto* name = std::get_if<std::string>(&step)) {
    auto& members = nodes_[place].members;
    if (const auto found = members.find(*name); found != NameTable::none) return found;
    node.name = MemberName(members.add(*name, next));
  } else {
    const auto index = std::get<std::uint64_t>(step);
    auto& items = nodes_[place].items;
    const auto found = std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.first == index; });
    if (found != items.end()) return found->second;
    items.emplace_back(index, next);
    node.is_item = true;
  }
  nodes_.push_back(std::move(node));
  return next;
}

void Search::begin() {
  if (++turn_ == 0 || places_.size() != table_.size()) {
    turn_ = 1;
    places_.clear();
    for (const auto& node : table_.nodes_) {
      auto& place = places_.emplace_back();
      place.above = node.above;
      place.is_alone = node.above != Places::document && !node.is_item;
      place.name = node.name;
    }
  }
  places_[Places::document].found = found(Tape::none);
}

std::uint32_t Search::look_for(std::uint32_t place) {
  constexpr std::uint32_t turns = 64;  // after as many, it may be few places again
  constexpr std::uint8_t many = 3;
  Place* const places = places_.data();
  auto& one = places[place];
  const auto element = at(one.above);
  auto& above = places[one.above];
  const bool is_first = std::exchange(above.asked, turn_) != turn_;
  above.asked_for = is_first ? 1 : above.asked_for + (above.asked_for < many);
  above.has_many = above.asked_for == many || (above.has_many && turn_ % turns != 0);
  if (above.has_many || !one.is_alone || element == Tape::none || !tape_.is_object(element)) return search(place, one.above, element);
  const auto member = tape_.member(element, one.name);
  one.found = found(member);
  return member;
}

std::uint32_t Search::search(std::uint32_t place, std::uint32_t container, std::uint32_t element) {
  places_[container].searched = turn_;
  const auto& node = table_.nodes_[container];
  Place* const places = places_.data();
  const auto turn = found(0);
  if (element == Tape::none) return Tape::none;
  if (tape_.is_object(element) && !node.members.empty()) {
    // of equal names the last counts
    Tape(tape_).each_member(element, [places, turn, number = node.members.lookup()](const char* name, std::uint32_t value) {
      if (const auto below = number(name); below != NameTable::none) places[below].found = turn | value;
    });
  } else if (tape_.is_array(element)) {
    for (const auto& [index, below] : node.items) {
      if (const auto item = tape_.item(element, index); item != Tape::none) places[below].found = turn | item;
    }
  }
  const auto found = places[place].found;
  return found >> 32 == turn_ ? static_cast<std::uint32_t>(found) : Tape::none;
}

}  // namespace lanner
