// The last lines that a host has processed, until Python makes the cursor's keys of them. This file does not use Python.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stream/events.hpp"

namespace lanner {

// For two threads: the host's adds, another takes.
class Commits {
 public:
  enum class News { none, first, full };

  // Consecutive lines, in memory that is used again: an allocation for each line would cost as much as the rest.
  struct Block {
    std::string text;
    std::vector<std::size_t> ends;  // of each line
  };

  // Lines of one engine, in order of arrival: at least the last `most`.
  struct Lines {
    std::deque<Block> blocks;
    std::size_t count = 0;

    // Returns the last `most`, valid while the blocks are unchanged.
    std::vector<std::string_view> last() const;
  };

  struct Taken {
    std::size_t engine = 0;
    Lines lines;
  };

  // Adds processed events of one engine. `first`: there were none since the last `take`. `full`: call `take`, they use much memory.
  News add(std::size_t engine, std::span<const StreamEvent> events);

  // Removes and returns all lines.
  std::vector<Taken> take();

 private:
  void add(Lines& lines, std::string_view line);

  static constexpr std::size_t most = 512;  // as many as the cursor keeps (`KEPT` in lanner.docker.window)
  static constexpr std::size_t block_size = std::size_t{16} * 1024;
  static constexpr std::size_t most_bytes = std::size_t{1} << 20;

  std::mutex mutex_;
  std::vector<Lines> lines_;  // by engine
  std::size_t bytes_ = 0;
  bool is_empty_ = true;
};

}  // namespace lanner
