// The events of one engine that were seen last, known by their time and a hash of their line. No Python here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace lanner {

struct EventKey {
  std::uint64_t time = 0;  // ns since 1970
  std::uint64_t hash = 0;

  bool operator==(const EventKey&) const = default;
};

// Keys in order of arrival, each once. The last 1,024 are kept, and of the others those of the last two seconds, up to a bound: engines
// send events again when they are asked for a time before the last one, the Docker Engine its last 256 at most, others more.
class EventWindow {
 public:
  EventWindow();

  std::size_t size() const { return order_.size(); }
  bool contains(const EventKey& key) const { return table_[find(key)].number != 0; }
  // Returns whether it is a new one. Forgets nothing.
  bool add(const EventKey& key);
  // Load the slot of the key into the cache, for `add`.
  void prefetch(const EventKey& key) const { __builtin_prefetch(&table_[home(tag_of(key))]); }
  // Forget the keys that are not to be kept any more.
  void forget();
  // When the event that arrived last happened; 0 for none. Clocks are set back, so it need not be the latest time.
  std::uint64_t last() const { return order_.empty() ? 0 : order_.back().time; }

 private:
  struct Slot {
    std::uint32_t tag = 0;     // a part of the key; the lowest bits are the slot's where the search for the key begins
    std::uint32_t number = 0;  // of the key in the order of arrival; 0 for a free slot
  };

  static std::uint32_t tag_of(const EventKey& key);
  std::size_t home(std::uint32_t tag) const { return tag & (table_.size() - 1); }
  std::size_t find(const EventKey& key) const;
  void rebuild(std::size_t slots);
  void drop_first();

  std::deque<EventKey> order_;
  std::uint32_t first_ = 1;  // the number of the first of them
  std::vector<Slot> table_;  // their number is a power of two
};

}  // namespace lanner
