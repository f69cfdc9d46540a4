// Bytes as they come to payloads, one a line. No Python here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lanner {

// The lines that one chunk completed: parts of the chunk, except for a first one that began in chunks before it.
class LineList {
 public:
  std::size_t size() const { return parts_.size() + has_joined_; }
  std::string_view at(std::size_t place) const {
    if (has_joined_ && place-- == 0) return joined_;
    const auto [begin, size] = parts_[place];
    return {data_ + begin, size};
  }

  // The chunk in which all lines lie but a joined one
  std::string_view chunk() const { return data_ ? std::string_view(data_, size_) : std::string_view(); }

  const char* data_ = nullptr;  // the chunk's, which the owner of this list keeps
  std::size_t size_ = 0;
  std::string joined_;
  bool has_joined_ = false;
  std::vector<std::pair<std::size_t, std::size_t>> parts_;
};

// The lines of one stream. What follows the last newline waits for the next chunk; empty lines are none.
class LineFramer {
 public:
  explicit LineFramer(std::size_t longest) : longest_(longest) {}

  void feed(std::string_view chunk, LineList& lines);
  // The tail as a last line; the stream begins anew after it.
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
