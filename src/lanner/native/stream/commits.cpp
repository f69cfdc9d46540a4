#include "stream/commits.hpp"

#include <algorithm>
#include <utility>

namespace lanner {

Commits::News Commits::add(std::size_t engine, std::span<const StreamEvent> events) {
  if (events.empty()) return News::none;
  const std::lock_guard lock(mutex_);
  if (rings_.size() <= engine) rings_.resize(engine + 1);
  auto& ring = rings_[engine];
  for (const auto& event : events.last(std::min(most, events.size()))) {
    if (ring.lines.size() < most) {
      ring.lines.emplace_back(event.line);
    } else {
      auto& oldest = ring.lines[ring.next];
      bytes_ -= oldest.size();
      oldest.assign(event.line);
      ring.next = (ring.next + 1) % most;
    }
    bytes_ += event.line.size();
  }
  if (bytes_ > most_bytes) return News::full;
  return std::exchange(is_empty_, false) ? News::first : News::none;
}

std::vector<Commits::Lines> Commits::take() {
  std::vector<Lines> taken;
  const std::lock_guard lock(mutex_);
  for (std::size_t engine = 0; engine < rings_.size(); ++engine) {
    auto& ring = rings_[engine];
    if (ring.lines.empty()) continue;
    std::rotate(ring.lines.begin(), ring.lines.begin() + static_cast<std::ptrdiff_t>(ring.next), ring.lines.end());
    taken.push_back({engine, std::move(ring.lines)});
    ring = {};
  }
  bytes_ = 0;
  is_empty_ = true;
  return taken;
}

}  // namespace lanner
