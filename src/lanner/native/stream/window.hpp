// The latest events of one engine, by time and hash of the line. This file does not use Python.
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

// Keys in order of arrival, without duplicates. The window keeps the last 1,024 keys, and all keys of the last two seconds up to a bound:
// an engine that is queried from an earlier time repeats events, the Docker Engine at most its last 256, other engines more.
//
// Most events are later than all before them, so they are new. Their keys are only appended. A hash table of the keys is brought up to date
// when another event comes, so each key enters it at most once.
class EventWindow {
 public:
  EventWindow();

  std::size_t size() const { return order_.size(); }
  bool contains(const EventKey& key) { return key.time <= latest_ && table_[find_slot(key)].number != 0; }
  // Adds a key and returns whether it is new. Removes no keys.
  bool add(const EventKey& key);
  // Removes the keys that the window no longer keeps.
  void forget();
  // Returns the time of the event that arrived last, or 0. An earlier event may have a later time, if the clock was set back.
  std::uint64_t last() const { return order_.empty() ? 0 : order_.back().time; }

 private:
  struct Slot {
    std::uint32_t tag = 0;     // a part of the key; its lowest bits are the first slot of the search
    std::uint32_t number = 0;  // the key's number in order of arrival; 0 for a free slot
  };

  static std::uint32_t tag_of(const EventKey& key);
  std::size_t home(std::uint32_t tag) const { return tag & (table_.size() - 1); }
  std::size_t find_slot(const EventKey& key);
  std::size_t find(const EventKey& key) const;
  void update_table();
  void drop_first();
  void remove_first();

  std::deque<EventKey> order_;
  std::uint64_t latest_ = 0;  // no key has ever had a later time
  std::vector<Slot> table_;   // its size is a power of two
  std::size_t indexed_ = 0;   // the number of first keys of `order_` that are in the table
  std::uint32_t first_ = 1;   // the number of the oldest of them
};

}  // namespace lanner
