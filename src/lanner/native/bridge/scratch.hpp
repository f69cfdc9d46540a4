// Memory for the values of one call: addresses stay valid until `clear`.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace lanner {

class Scratch {
 public:
  // Frees the memory of the last call for reuse. The memory of a large call is released.
  void clear() {
    used_ = 0;
    large_.clear();
  }

  template <typename T>
  T* take(std::size_t count) {
    used_ = (used_ + alignof(T) - 1) / alignof(T) * alignof(T);
    const std::size_t bytes = count * sizeof(T);
    if (bytes > block_size - std::min(used_, block_size)) {
      large_.push_back(std::make_unique<std::max_align_t[]>(bytes / sizeof(std::max_align_t) + 1));
      return reinterpret_cast<T*>(large_.back().get());
    }
    if (!block_) block_ = std::make_unique<char[]>(block_size);
    T* place = reinterpret_cast<T*>(block_.get() + used_);
    used_ += bytes;
    return place;
  }

  // A copy with a trailing NUL.
  const char* text(std::string_view text) {
    char* place = take<char>(text.size() + 1);
    std::memcpy(place, text.data(), text.size());
    place[text.size()] = 0;
    return place;
  }

 private:
  static constexpr std::size_t block_size = std::size_t{16} * 1024;
  std::unique_ptr<char[]> block_;
  std::size_t used_ = 0;
  std::vector<std::unique_ptr<std::max_align_t[]>> large_;
};

// The text of an address, for hosts of APIs without addresses
inline const char* address_text(std::string_view address, Scratch& scratch) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.size() == 4 ? AF_INET : AF_INET6, address.data(), text, sizeof text);
  return scratch.text(text);
}

}  // namespace lanner
