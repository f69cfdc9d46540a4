#include "framing/lines.hpp"

#include <cstring>

namespace lanner {

void LineFramer::keep(std::string_view part) {
  if (is_dropping_ || part.empty()) return;
  if (tail_.size() + part.size() > longest_) {
    // an endless line must not exhaust the memory
    std::string().swap(tail_);
    is_dropping_ = true;
    ++too_long_;
    return;
  }
  tail_.append(part);
}

void LineFramer::feed(std::string_view chunk, LineList& lines) {
  lines.begin(chunk);
  std::size_t at = 0;
  while (at < chunk.size()) {
    const auto* newline = static_cast<const char*>(std::memchr(chunk.data() + at, '\n', chunk.size() - at));
    if (!newline) break;
    const std::size_t end = static_cast<std::size_t>(newline - chunk.data());
    if (at == 0 && is_within_line()) {
      keep(chunk.substr(0, end));
      if (!is_dropping_) lines.add_copy(std::move(tail_));
      tail_.clear();
      is_dropping_ = false;
    } else if (end - at > longest_) {
      ++too_long_;
    } else if (end > at) {
      lines.add(chunk.substr(at, end - at));
    }
    at = end + 1;
  }
  keep(chunk.substr(at));
}

void LineFramer::end(LineList& lines) {
  if (!tail_.empty()) lines.add_copy(std::move(tail_));
  tail_.clear();
  is_dropping_ = false;
}

}  // namespace lanner
