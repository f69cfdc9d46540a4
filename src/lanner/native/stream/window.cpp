#include "stream/window.hpp"

namespace lanner {
namespace {

constexpr std::uint64_t span = 2'000'000'000;
constexpr std::size_t least = 1024;
constexpr std::size_t most = 16'384;

}  // namespace

EventWindow::EventWindow() : ring_(2 * least), table_(4 * least) {}

// Hashes are made with a secret, so an engine's user cannot choose lines that share a slot.
std::size_t EventWindow::home(const EventKey& key) const {
  return static_cast<std::size_t>((key.hash + key.time) * 0x9E37'79B9'7F4A'7C15 >> 32) & (table_.size() - 1);
}

// The slot that has the key, or the free one where it belongs.
std::uint32_t* EventWindow::find(const EventKey& key) const {
  for (std::size_t slot = home(key);; slot = (slot + 1) & (table_.size() - 1)) {
    if (!table_[slot] || ring_[table_[slot] - 1] == key) return &table_[slot];
  }
}

bool EventWindow::add(const EventKey& key) {
  if (size() == ring_.size()) grow();
  std::uint32_t* const slot = find(key);
  if (*slot) return false;
  const auto place = end_++ & (ring_.size() - 1);
  ring_[place] = key;
  *slot = static_cast<std::uint32_t>(place + 1);
  return true;
}

void EventWindow::forget() {
  const auto latest = last();
  const auto oldest = latest > span ? latest - span : 0;
  while (size() > least && (size() > most || key_of(begin_).time < oldest)) drop_first();
}

void EventWindow::grow() {
  std::vector<EventKey> keys;
  keys.reserve(2 * ring_.size());
  for (auto number = begin_; number != end_; ++number) keys.push_back(key_of(number));
  begin_ = 0;
  end_ = keys.size();
  keys.resize(2 * ring_.size());
  ring_ = std::move(keys);
  table_.assign(2 * ring_.size(), 0);
  for (std::uint64_t number = 0; number != end_; ++number) *find(ring_[number]) = static_cast<std::uint32_t>(number + 1);
}

// Slots after the one that becomes free move up, so that each key is still found from its home on.
void EventWindow::drop_first() {
  const auto mask = table_.size() - 1;
  auto free = static_cast<std::size_t>(find(key_of(begin_++)) - table_.data());
  for (auto slot = (free + 1) & mask; table_[slot]; slot = (slot + 1) & mask) {
    const auto wanted = home(ring_[table_[slot] - 1]);
    if (((slot - wanted) & mask) >= ((slot - free) & mask)) {
      table_[free] = table_[slot];
      free = slot;
    }
  }
  table_[free] = 0;
}

}  // namespace lanner
