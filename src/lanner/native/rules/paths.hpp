// `pmatch`: a set of paths, and whether another path equals one or is below one. The native form of lanner.rules.language.path_prefixes.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rules/operators.hpp"

namespace lanner {

class PathPrefixes {
 public:
  void add(std::string_view path);

  // The caller has set the C locale for the thread.
  bool match(std::string_view path, TextBuffers& scratch) const;

 private:
  static constexpr std::size_t end = static_cast<std::size_t>(-1);  // after a component: a path ends there

  struct Directory {
    std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> plain;
    std::vector<std::pair<std::string, std::size_t>> globs;
  };

  std::size_t* entry(std::size_t directory, std::string_view component, bool& is_new);

  std::vector<Directory> directories_ = std::vector<Directory>(1);
  bool everything_ = false;
};

// The last component that is not a glob, which fewer paths have than the first ones: each path that matches has it too. Empty if all are
// globs.
std::string_view last_component(std::string_view path);

}  // namespace lanner
