// Texts that are made for one event or call. No Python here.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace lanner {

// Room for texts is kept from event to event, but not what a huge one took
constexpr std::size_t kept_room = std::size_t{1} << 20;
inline void empty(std::string& text) {
  if (text.capacity() > kept_room) {
    text = std::string();
  } else {
    text.clear();
  }
}

// Owns texts until `clear`, each of which stays where it is. Their room is used again.
class Arena {
 public:
  void clear() {
    for (std::size_t place = 0; place < used_; ++place) empty(texts_[place]);
    used_ = 0;
  }
  // Room for a list of texts, empty; the next call takes it back
  std::vector<std::string_view>& list() {
    list_.clear();
    return list_;
  }
  // A text to write to, empty
  std::string& take() {
    if (used_ == texts_.size()) texts_.emplace_back();
    return texts_[used_++];
  }

 private:
  std::deque<std::string> texts_;  // a deque: references to them stay
  std::size_t used_ = 0;
  std::vector<std::string_view> list_;
};

}  // namespace lanner
