// The chunked transfer coding of HTTP/1.1 (RFC 9112, section 7.1), decoded incrementally. No Python here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lanner {

class Decoder {
 public:
  // Returns the next bytes of the body that are contiguous in `data`, and removes them and what precedes them from it. Empty: `data` has no
  // further ones. `error` is not empty for invalid chunks.
  std::string_view next(std::string_view& data);
  // Writes at most data.size() bytes of the body to `out` and returns their number.
  std::size_t feed(std::string_view data, char* out);

  bool ended = false;     // the last chunk was received
  bool complete = false;  // and the trailer: later bytes do not belong to this body
  std::string error;

 private:
  void take(std::string_view line);
  void take_size(std::string_view line);

  std::uint64_t left_ = 0;  // remaining bytes of the current chunk
  bool expects_line_end_ = false;
  std::size_t trailer_size_ = 0;
  std::string line_;  // the beginning of an incomplete line
};

}  // namespace lanner
