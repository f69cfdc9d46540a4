// The last lines that a host has processed, until Python makes the cursor's keys of them. This file does not use Python.
#pragma once

#include <cstddef>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "stream/events.hpp"

namespace lanner {

// For two threads: the host's adds, another takes.
class Commits {
 public:
  enum class News { none, first, full };

  // Lines of one engine, in order of arrival.
  struct Lines {
    std::size_t engine = 0;
    std::vector<std::string> lines;
  };

  // Adds processed events of one engine. `first`: there were none since the last `take`. `full`: call `take`, they use much memory.
  News add(std::size_t engine, std::span<const StreamEvent> events);

  // Removes and returns all lines.
  std::vector<Lines> take();

 private:
  // The last `most` lines of an engine. The memory of a line is used again.
  struct Ring {
    std::vector<std::string> lines;
    std::size_t next = 0;
  };

  static constexpr std::size_t most = 512;  // as many as the cursor keeps (`KEPT` in lanner.docker.window)
  static constexpr std::size_t most_bytes = std::size_t{1} << 20;

  std::mutex mutex_;
  std::vector<Ring> rings_;  // by engine
  std::size_t bytes_ = 0;
  bool is_empty_ = true;
};

}  // namespace lanner
