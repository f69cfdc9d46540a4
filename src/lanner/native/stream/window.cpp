#include "stream/window.hpp"

namespace lanner {
namespace {

constexpr std::uint64_t span = 2'000'000'000;
constexpr std::size_t fewest_keys = 1024;
constexpr std::size_t most_keys = 16'384;

}  // namespace

EventWindow::EventWindow() : table_(2 * fewest_keys) {}

// The hash has a secret key, so an attacker cannot make events that share a slot.
std::uint32_t EventWindow::tag_of(const EventKey& key) {
  return static_cast<std::uint32_t>(((key.hash + key.time) * 0x9E37'79B9'7F4A'7C15) >> 32);
}

bool EventWindow::add(const EventKey& key) {
  if (key.time > latest_) {
    latest_ = key.time;
  } else if (table_[find_slot(key)].number) {
    return false;
  }
  order_.push_back(key);
  return true;
}

void EventWindow::forget() {
  const auto latest = last();
  const auto oldest = latest > span ? latest - span : 0;
  while (size() > fewest_keys && (size() > most_keys || order_.front().time < oldest)) drop_first();
}

// Returns the slot of the key, or a free slot. All keys are in the table.
std::size_t EventWindow::find_slot(const EventKey& key) {
  if (indexed_ < order_.size()) update_table();
  return find(key);
}

// Returns the slot of a key in the table, or the free slot for it.
std::size_t EventWindow::find(const EventKey& key) const {
  const auto tag = tag_of(key);
  for (auto slot = home(tag);; slot = (slot + 1) & (table_.size() - 1)) {
    const auto& found = table_[slot];
    if (!found.number || (found.tag == tag && order_[found.number - first_] == key)) return slot;
  }
}

// Adds the keys to the table that are not in it yet.
void EventWindow::update_table() {
  auto slots = table_.size();
  while (4 * order_.size() > 3 * slots) slots *= 2;
  if (slots > table_.size() || first_ > UINT32_MAX - order_.size()) {
    table_.assign(slots, {});
    indexed_ = 0;
  }
  if (!indexed_) first_ = 1;
  for (auto key = order_.begin() + static_cast<std::ptrdiff_t>(indexed_); key != order_.end(); ++key) {
    const auto tag = tag_of(*key);
    auto slot = home(tag);
    while (table_[slot].number) slot = (slot + 1) & (table_.size() - 1);
    table_[slot] = {tag, first_ + static_cast<std::uint32_t>(indexed_++)};
  }
}

void EventWindow::drop_first() {
  if (indexed_) {
    remove_first();
    --indexed_;
    ++first_;
  }
  order_.pop_front();
}

// Removes the first key from the table. Moves the keys after the freed slot, so that a search still finds each.
void EventWindow::remove_first() {
  const auto mask = table_.size() - 1;
  auto free = find(order_.front());
  for (auto slot = (free + 1) & mask; table_[slot].number; slot = (slot + 1) & mask) {
    if (((slot - home(table_[slot].tag)) & mask) >= ((slot - free) & mask)) {
      table_[free] = table_[slot];
      free = slot;
    }
  }
  table_[free] = {};
}

}  // namespace lanner
