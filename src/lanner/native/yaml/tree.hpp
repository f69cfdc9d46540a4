// The nodes of a YAML text as yaml-cpp reads it, which is the library that Falco reads with. No Python here.
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
  std::size_t begin, end;               // bytes of the text; the same where nothing is written
  std::string tag;                      // as written and resolved; empty if none is
  std::string value;                    // of a scalar; of a null what is written
  std::vector<std::uint32_t> children;  // of a sequence; of a mapping keys and values in turn
  std::size_t weight = 1;               // nodes and bytes of values, aliases counted as what they stand for
};

struct YamlLimits {
  std::size_t depth;    // of nested collections
  std::size_t aliased;  // nodes and bytes of values that all aliases stand for
  bool only_first;      // of the documents
};

struct YamlError {
  std::string message;
  YamlMark mark;
  bool is_limit = false;  // a limit of Lanner, where yaml-cpp reads on
  std::size_t length = 1;
};

struct YamlTree {
  std::vector<YamlNode> nodes;
  std::vector<std::uint32_t> documents;  // their roots; the last one alone may be null
  std::optional<YamlError> error;
};

// Read documents up to the first whose root is null, after which Falco reads no more rules. Throws std::bad_alloc alone.
YamlTree read_yaml(std::string_view text, const YamlLimits& limits);

}  // namespace lanner
