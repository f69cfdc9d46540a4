// Payloads that are lines and not JSON: of a pattern, key=value pairs (logfmt), CEF. No Python here; lanner.sdk.payload.line_forms is the reference.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "values/arena.hpp"
#include "values/pattern.hpp"

namespace lanner {

// What the trees of a table read.
struct Forms {
  struct Entry {
    std::string expression;
    std::shared_ptr<const Pattern> pattern;
    std::size_t groups = 1;  // the highest number of a group that is read, and one
  };

  bool reads_json = false;
  bool reads_pointers = false;
  bool reads_logfmt = false;
  bool reads_cef = false;
  std::vector<Entry> patterns;

  bool reads_lines() const { return reads_logfmt || reads_cef || !patterns.empty(); }
};

// The lines of one payload after another. Each is read when a part of it is first asked for. Strings end at their first NUL; they are parts
// of the payload, or in the arena.
class Lines {
 public:
  // `forms` may grow until the first payload.
  explicit Lines(const Forms& forms) : forms_(forms) {}

  // The payload stays until the next call.
  void begin(std::string_view payload);

  // Whether the payload is a line of one of the forms.
  bool is_line();

  // The text of a pattern's group
  std::optional<std::string_view> group(std::size_t pattern, std::size_t number);

  // The value of a key; of equal keys the last counts.
  std::optional<std::string_view> logfmt(std::string_view key, Arena& arena);

  // A field of the header or the extension by its CEF name, such as deviceVendor or src
  std::optional<std::string_view> cef(std::string_view name, Arena& arena);

 private:
  struct Match {
    std::uint64_t turn = 0;  // the number of the payload
    bool matches = false;
    std::vector<RegexGroup> groups;
  };
  struct Pair {
    std::string_view key;
    std::string_view value;
    bool is_quoted = false;
  };
  struct Pairs {
    std::uint64_t turn = 0;
    std::vector<Pair> pairs;
  };

  const Match& match(std::size_t pattern);
  const std::vector<Pair>& pairs(Pairs& kept, void (*read)(std::string_view line, std::vector<Pair>& pairs));
  static void read_logfmt(std::string_view line, std::vector<Pair>& pairs);
  static void read_cef(std::string_view line, std::vector<Pair>& pairs);

  const Forms& forms_;
  std::string_view payload_;
  std::uint64_t turn_ = 0;
  std::vector<Match> matches_;
  Pairs logfmt_;
  Pairs cef_;
};

}  // namespace lanner
