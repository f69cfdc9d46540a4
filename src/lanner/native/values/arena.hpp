// Texts that are created for one event or call. No Python here.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace lanner {

// Capacity is kept between events, except that of a huge text
constexpr std::size_t kept_room = std::size_t{1} << 20;
inline void empty(std::string& text) {
  if (text.capacity() > kept_room) {
    text = std::string();
  } else {
    text.clear();
  }
}

// Owns texts until `clear`; their addresses stay valid. Their memory is reused.
class Arena {
 public:
  void clear() {
    for (std::size_t place = 0; place < used_; ++place) empty(texts_[place]);
    used_ = 0;
  }
  // An empty list of texts, valid until the next call
  std::vector<std::string_view>& list() {
    list_.clear();
    return list_;
  }
  // An empty text to write to
  std::string& take() {
    if (used_ == texts_.size()) texts_.emplace_back();
    return texts_[used_++];
  }

 private:
  std::deque<std::string> texts_;  // a deque: references stay valid
  std::size_t used_ = 0;
  std::vector<std::string_view> list_;
};

}  // namespace lanner
