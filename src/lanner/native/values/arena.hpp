// Strings and lists that are created for one event or call. No Python here.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "values/scalar.hpp"

namespace lanner {

// Capacity is kept between events, except that of a huge text or list
constexpr std::size_t kept_room = std::size_t{1} << 20;
// ... and that of more strings or lists than this
constexpr std::size_t kept_count = 4096;
template <typename Content>
void empty(Content& content) {
  if (content.capacity() > kept_room / sizeof(typename Content::value_type)) {
    content = Content();
  } else {
    content.clear();
  }
}

// Owns strings and lists until `clear`; their addresses stay valid. Their memory is reused.
class Arena {
 public:
  // Inline, because it runs for every field: most fields take nothing.
  void clear() {
    if (used_ || used_lists_) empty_all();
  }
  // An empty list of strings, valid until the next call
  std::vector<std::string_view>& list() {
    list_.clear();
    return list_;
  }
  // An empty list of values
  std::vector<Scalar>& items() {
    if (used_lists_ == lists_.size()) lists_.emplace_back();
    return lists_[used_lists_++];
  }
  // An empty text to write to
  std::string& take() {
    if (used_ == texts_.size()) texts_.emplace_back();
    return texts_[used_++];
  }

 private:
  void empty_all() {
    for (std::size_t place = 0; place < used_; ++place) empty(texts_[place]);
    for (std::size_t place = 0; place < used_lists_; ++place) empty(lists_[place]);
    used_ = used_lists_ = 0;
    if (texts_.size() > kept_count) texts_.resize(kept_count);
    if (lists_.size() > kept_count) lists_.resize(kept_count);
  }

  std::deque<std::string> texts_;  // a deque: references stay valid
  std::size_t used_ = 0;
  std::deque<std::vector<Scalar>> lists_;
  std::size_t used_lists_ = 0;
  std::vector<std::string_view> list_;
};

}  // namespace lanner
