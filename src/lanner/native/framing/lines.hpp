// Splits received bytes into payloads, one per line. No Python here.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lanner {

// The payloads that one chunk completed: parts of the chunk, or copies of those that began in earlier chunks.
class LineList {
 public:
  std::size_t size() const { return parts_.size(); }
  std::string_view at(std::size_t place) const { return parts_[place]; }

  // The chunk that contains all payloads except the copies; its owner keeps it as long as this list.
  std::string_view chunk() const { return chunk_; }
  // The incomplete ones: their index and their full size in bytes.
  const std::vector<std::pair<std::size_t, std::size_t>>& cut() const { return cut_; }

  // Returns the number of bytes of lines in memory.
  std::size_t held() const {
    std::size_t size = chunk_.size();
    for (const auto& copy : copies_) size += copy.size();
    return size;
  }

  void begin(std::string_view chunk) { chunk_ = chunk; }
  // Removes all payloads. Their memory is used again.
  void clear() {
    chunk_ = {};
    copies_.clear();
    parts_.clear();
    cut_.clear();
  }
  void reserve(std::size_t count) { parts_.reserve(count); }
  void add(std::string_view part) { parts_.push_back(part); }
  void add_copy(std::string text) { parts_.push_back(copies_.emplace_back(std::move(text))); }
  void add_cut(std::string text, std::size_t size) {
    cut_.emplace_back(parts_.size(), size);
    add_copy(std::move(text));
  }

 private:
  std::string_view chunk_;
  std::deque<std::string> copies_;  // a deque: addresses stay valid
  std::vector<std::string_view> parts_;
  std::vector<std::pair<std::size_t, std::size_t>> cut_;
};

// The lines of one stream. Bytes after the last newline wait for the next chunk. Empty lines are skipped.
class LineFramer {
 public:
  explicit LineFramer(std::size_t longest) : longest_(longest) {}

  void feed(std::string_view chunk, LineList& lines);
  // Returns the tail as the last line, and resets the stream.
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
