// Lines of a pattern: the groups of a regular expression that matches a whole payload. No Python here.
//
// The expressions are RE2's, behind the functions of an engine in a module for itself: only plugins with a pattern load it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lanner {

// A group of a match; `begin` is null for one that took no part in it.
struct RegexGroup {
  const char* begin = nullptr;
  std::size_t size = 0;
};

// Functions of another shared library: no exceptions, and no types of the C++ library.
struct RegexEngine {
  // Null for an invalid expression, with the reason in `error`.
  void* (*compile)(const char* expression, std::size_t size, char* error, std::size_t error_size);
  void (*release)(void* regex);
  // The number of a named group; 0 for an unknown name
  std::size_t (*group)(const void* regex, const char* name, std::size_t size);
  // Whether the expression matches all of a UTF-8 text; sets the first groups, from number 0 (the whole match).
  bool (*match)(const void* regex, const char* text, std::size_t size, RegexGroup* groups, std::size_t count);
};
inline constexpr char regex_engine_name[] = "lanner.native._pattern.engine";

class Pattern {
 public:
  // Throws std::runtime_error for an invalid expression.
  Pattern(const RegexEngine& engine, std::string_view expression);

  // The number of a named group; 0 for an unknown name
  std::size_t group(std::string_view name) const { return engine_.group(regex_.get(), name.data(), name.size()); }

  // Whether the pattern matches all of the line, except a newline (LF, CR or both) at its end. The groups are parts of the line. Each byte that is not
  // UTF-8 matches as the character U+001A (SUB).
  bool match(std::string_view line, std::vector<RegexGroup>& groups) const;

 private:
  const RegexEngine& engine_;
  const std::unique_ptr<void, void (*)(void*)> regex_;
};

}  // namespace lanner
