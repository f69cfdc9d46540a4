#include "rules/paths.hpp"

#include <fnmatch.h>

#include <algorithm>

namespace lanner {
namespace {

// Removes the next component from the path and returns it; empty at its end. Empty components are skipped.
std::string_view next(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const auto component = path.substr(0, path.find('/'));
  path.remove_prefix(component.size());
  return component;
}

bool is_glob(std::string_view component) { return component.find_first_of("?*[") != std::string_view::npos; }

}  // namespace

std::string_view last_component(std::string_view path) {
  std::string_view last;
  for (auto component = next(path); !component.empty(); component = next(path)) {
    if (!is_glob(component)) last = component;
  }
  return last;
}

std::size_t* PathPrefixes::entry(std::size_t directory, std::string_view component, bool& is_new) {
  auto& entries = directories_[directory];
  if (!is_glob(component)) {
    const auto [place, inserted] = entries.plain.try_emplace(std::string(component), end);
    is_new = inserted;
    return &place->second;
  }
  const auto found = std::find_if(entries.globs.begin(), entries.globs.end(), [&](const auto& each) { return each.first == component; });
  is_new = found == entries.globs.end();
  return is_new ? &entries.globs.emplace_back(component, end).second : &found->second;
}

void PathPrefixes::add(std::string_view path) {
  std::size_t directory = 0;
  auto component = next(path);
  if (component.empty()) {
    everything_ = true;
    return;
  }
  while (true) {
    const auto following = next(path);
    bool is_new;
    auto* below = entry(directory, component, is_new);
    if (following.empty()) {
      *below = end;
      return;
    }
    if (is_new) {
      const auto made = directories_.size();
      *below = made;
      directories_.emplace_back();
      directory = made;
    } else if (*below == end) {  // a shorter path already covers this one
      return;
    } else {
      directory = *below;
    }
    component = following;
  }
}

bool PathPrefixes::match(std::string_view path, TextBuffers& scratch) const {
  if (everything_) return true;
  auto& level = scratch.level;
  auto& following = scratch.following;
  level.assign(1, 0);
  // Level by level, so that the cost is at most the path's length times the number of wildcards
  for (auto component = next(path); !component.empty(); component = next(path)) {
    following.clear();
    bool is_copied = false;
    for (const auto number : level) {
      const auto& directory = directories_[number];
      if (const auto found = directory.plain.find(component); found != directory.plain.end()) {
        if (found->second == end) return true;
        following.push_back(found->second);
      }
      for (const auto& [pattern, below] : directory.globs) {
        if (!is_copied) scratch.text.assign(c_text(component));
        is_copied = true;
        if (fnmatch(pattern.c_str(), scratch.text.c_str(), 0) != 0) continue;
        if (below == end) return true;
        following.push_back(below);
      }
    }
    if (following.empty()) return false;
    std::swap(level, following);
  }
  return false;
}

}  // namespace lanner
