#include "stream/commits.hpp"

#include <algorithm>
#include <utility>

namespace lanner {

std::vector<std::string_view> Commits::Lines::last() const {
  std::vector<std::string_view> lines;
  lines.reserve(std::min(count, most));
  auto skipped = count - std::min(count, most);
  for (const auto& [text, ends] : blocks) {
    std::size_t begin = 0;
    for (const auto end : ends) {
      if (!skipped) {
        lines.push_back(std::string_view(text).substr(begin, end - begin));
      } else {
        --skipped;
      }
      begin = end;
    }
  }
  return lines;
}

Commits::News Commits::add(std::size_t engine, std::span<const StreamEvent> events) {
  if (events.empty()) return News::none;
  const std::lock_guard lock(mutex_);
  if (lines_.size() <= engine) lines_.resize(engine + 1);
  for (const auto& event : events.last(std::min(most, events.size()))) add(lines_[engine], event.line);
  if (bytes_ > most_bytes) return News::full;
  return std::exchange(is_empty_, false) ? News::first : News::none;
}

void Commits::add(Lines& lines, std::string_view line) {
  auto& blocks = lines.blocks;
  if (blocks.empty() || blocks.back().text.size() + line.size() > block_size) {
    Block next;
    if (!blocks.empty() && lines.count - blocks.front().ends.size() >= most) {
      next = std::move(blocks.front());
      blocks.pop_front();
      lines.count -= next.ends.size();
      bytes_ -= next.text.size();
      next.ends.clear();
      next.text.clear();
    }
    next.text.reserve(block_size);
    blocks.push_back(std::move(next));
  }
  auto& [text, ends] = blocks.back();
  text += line;
  ends.push_back(text.size());
  ++lines.count;
  bytes_ += line.size();
}

std::vector<Commits::Taken> Commits::take() {
  std::vector<Taken> taken;
  const std::lock_guard lock(mutex_);
  for (std::size_t engine = 0; engine < lines_.size(); ++engine) {
    if (lines_[engine].count) taken.push_back({engine, std::exchange(lines_[engine], {})});
  }
  bytes_ = 0;
  is_empty_ = true;
  return taken;
}

}  // namespace lanner
