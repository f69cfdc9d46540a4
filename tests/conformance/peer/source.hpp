// Where the peer's events come from: lines of a file, or of an HTTP answer on a unix socket.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

class Source {
 public:
  enum class Outcome { more, idle, end, failure };

  virtual ~Source() = default;
  // Some lines, which stay valid until the next call. They count for any outcome; without lines the outcome is not `more`.
  virtual Outcome next(std::vector<std::string_view>& lines) = 0;
  // How much of it is read, of 10000; 0 if unknown.
  virtual uint32_t progress() const { return 0; }

  std::string error;
};

// "file:PATH" or "unix:PATH"; null with the reason in `error`.
std::unique_ptr<Source> open_source(std::string_view params, std::string& error);
