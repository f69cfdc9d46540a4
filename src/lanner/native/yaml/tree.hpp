// The nodes of a YAML text as read by yaml-cpp, the library that Falco uses. No Python here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanner {

// A place as yaml-cpp counts: bytes, lines and bytes in the line, from 0.
struct YamlMark {
  std::size_t offset, line, column;
};

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping };

  Kind kind;
  char style = 0;  // of a scalar that is not plain: its first character
  YamlMark mark;
  std::size_t begin, end;               // bytes of the text; equal for a missing node
  std::string tag;                      // as written and resolved; empty without one
  std::string value;                    // of a scalar; of a null its text
  std::vector<std::uint32_t> children;  // of a sequence; of a mapping keys and values in turn
  std::size_t weight = 1;               // number of nodes and bytes of values, with aliases expanded
};

struct YamlLimits {
  std::size_t depth;    // of nested collections
  std::size_t aliased;  // number of nodes and bytes of values in all expanded aliases
  bool only_first;      // of the documents
};

struct YamlError {
  std::string message;
  YamlMark mark;
  bool is_limit = false;  // a limit of Lanner, at which yaml-cpp would continue
  std::size_t length = 1;
};

struct YamlTree {
  std::vector<YamlNode> nodes;
  std::vector<std::uint32_t> documents;  // their roots; only the last one may be null
  std::optional<YamlError> error;
};

// Reads documents up to the first whose root is null, after which Falco reads no more rules. Throws only std::bad_alloc.
YamlTree read_yaml(std::string_view text, const YamlLimits& limits);

}  // namespace lanner
