#include "stream/window.hpp"

namespace lanner {
namespace {

constexpr std::uint64_t span = 2'000'000'000;
constexpr std::size_t least = 1024;
constexpr std::size_t most = 16'384;

}  // namespace

EventWindow::EventWindow() : table_(2 * least) {}

// The hash has a secret key, so an attacker cannot make events that share a slot.
std::uint32_t EventWindow::tag_of(const EventKey& key) {
  return static_cast<std::uint32_t>(((key.hash + key.time) * 0x9E37'79B9'7F4A'7C15) >> 32);
}

// Returns the slot of the key, or the free slot for it.
std::size_t EventWindow::find(const EventKey& key) const {
  const auto tag = tag_of(key);
  for (auto slot = home(tag);; slot = (slot + 1) & (table_.size() - 1)) {
    const auto& found = table_[slot];
    if (!found.number || (found.tag == tag && order_[found.number - first_] == key)) return slot;
  }
}

bool EventWindow::add(const EventKey& key) {
  const bool is_full = 4 * (order_.size() + 1) > 3 * table_.size();
  if (is_full || first_ > UINT32_MAX - order_.size() - 1) rebuild(is_full ? 2 * table_.size() : table_.size());
  auto& slot = table_[find(key)];
  if (slot.number) return false;
  slot = {tag_of(key), first_ + static_cast<std::uint32_t>(order_.size())};
  order_.push_back(key);
  return true;
}

void EventWindow::forget() {
  const auto latest = last();
  const auto oldest = latest > span ? latest - span : 0;
  while (size() > least && (size() > most || order_.front().time < oldest)) drop_first();
}

void EventWindow::rebuild(std::size_t slots) {
  table_.assign(slots, {});
  first_ = 1;
  std::uint32_t number = first_;
  for (const auto& key : order_) {
    auto slot = home(tag_of(key));
    while (table_[slot].number) slot = (slot + 1) & (slots - 1);
    table_[slot] = {tag_of(key), number++};
  }
}

// Moves the keys after the freed slot, so that a search still finds each.
void EventWindow::drop_first() {
  const auto mask = table_.size() - 1;
  auto free = find(order_.front());
  for (auto slot = (free + 1) & mask; table_[slot].number; slot = (slot + 1) & mask) {
    if (((slot - home(table_[slot].tag)) & mask) >= ((slot - free) & mask)) {
      table_[free] = table_[slot];
      free = slot;
    }
  }
  table_[free] = {};
  order_.pop_front();
  ++first_;
}

}  // namespace lanner
