// The events of one engine that were seen last, known by their time and a hash of their line. No Python here.
#pragma once

#include <cstddef>
#include <cstdint>
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

  std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
  bool contains(const EventKey& key) const { return *find(key) != 0; }
  // Whether it is a new one. Nothing is forgotten by it.
  bool add(const EventKey& key);
  // Forget what is no longer to be kept.
  void forget();
  // When the event that arrived last happened; 0 for none. Clocks are set back, so it need not be the latest time.
  std::uint64_t last() const { return begin_ == end_ ? 0 : key_of(end_ - 1).time; }

 private:
  const EventKey& key_of(std::uint64_t number) const { return ring_[number & (ring_.size() - 1)]; }
  std::size_t home(const EventKey& key) const;
  std::uint32_t* find(const EventKey& key) const;
  void grow();
  void drop_first();

  // Both have sizes that are powers of two. The table has twice as many slots as the ring, each with a place in the ring and 1, or 0.
  std::vector<EventKey> ring_;
  mutable std::vector<std::uint32_t> table_;
  std::uint64_t begin_ = 0, end_ = 0;  // numbers of the first key and of the one after the last
};

}  // namespace lanner
