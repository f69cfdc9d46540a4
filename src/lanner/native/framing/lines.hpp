// Bytes as they come to payloads, one a line. No Python here.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lanner {

// The payloads that one chunk completed: parts of the chunk, or copies of what began in chunks before it.
class LineList {
 public:
  std::size_t size() const { return parts_.size(); }
  std::string_view at(std::size_t place) const { return parts_[place]; }

  // The chunk in which all payloads lie but the copies; its owner keeps it as long as this list.
  std::string_view chunk() const { return chunk_; }
  // Those of which only a part was kept: their place, and how many bytes they had.
  const std::vector<std::pair<std::size_t, std::size_t>>& cut() const { return cut_; }

  // How many bytes of lines are kept in memory.
  std::size_t held() const {
    std::size_t size = chunk_.size();
    for (const auto& copy : copies_) size += copy.size();
    return size;
  }

  void begin(std::string_view chunk) { chunk_ = chunk; }
  void reserve(std::size_t count) { parts_.reserve(count); }
  void add(std::string_view part) { parts_.push_back(part); }
  void add_copy(std::string text) { parts_.push_back(copies_.emplace_back(std::move(text))); }
  void add_cut(std::string text, std::size_t size) {
    cut_.emplace_back(parts_.size(), size);
    add_copy(std::move(text));
  }

 private:
  std::string_view chunk_;
  std::deque<std::string> copies_;  // a deque: their places stay
  std::vector<std::string_view> parts_;
  std::vector<std::pair<std::size_t, std::size_t>> cut_;
};

// The lines of one stream. What follows the last newline waits for the next chunk; empty lines are none.
class LineFramer {
 public:
  explicit LineFramer(std::size_t longest) : longest_(longest) {}

  void feed(std::string_view chunk, LineList& lines);
  // The tail as a last line; after it the stream starts over.
  void end(LineList& lines);

  bool is_within_line() const { return is_dropping_ || !tail_.empty(); }
  std::size_t too_long() const { return too_long_; }

 private:
  void keep(std::string_view part);

  const std::size_t longest_;
  std::string tail_;
  bool is_dropping_ = false;
  std::size_t too_long_ = 0;
};

}  // namespace lanner
