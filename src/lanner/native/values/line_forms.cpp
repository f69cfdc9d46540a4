#include "values/line_forms.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "values/characters.hpp"
#include "values/escapes.hpp"

namespace lanner {
namespace {

bool is_blank_or_control(char c) { return static_cast<unsigned char>(c) <= ' '; }
bool is_key(char c) { return !is_blank_or_control(c) && c != '=' && c != '"'; }
bool is_cef_key(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '.' || c == '-' || c == '[' || c == ']';
}

// The place of the quote that ends a string, which begins after the quote before `at`; npos for none
std::size_t closing_quote(std::string_view line, std::size_t at) {
  while ((at = line.find_first_of("\"\\", at)) != std::string_view::npos && line[at] == '\\') at += 2;
  return at;
}

// The next place of a character without a backslash before it; the end for none
std::size_t find_plain(std::string_view line, char wanted, std::size_t at) {
  for (; at < line.size() && line[at] != wanted; ++at) {
    if (line[at] == '\\') ++at;
  }
  return std::min(at, line.size());
}

// The names of a CEF header's fields, in their order
constexpr std::array<std::string_view, 7> cef_header = {"cefVersion",         "deviceVendor", "deviceProduct", "deviceVersion",
                                                        "deviceEventClassId", "name",         "severity"};

std::string_view cef_text(std::string_view written, Arena& arena) {
  if (written.find('\\') == std::string_view::npos) return written;
  auto& text = arena.take();
  for (std::size_t at = 0; at < written.size(); ++at) {
    if (written[at] != '\\' || at + 1 == written.size()) {
      text.push_back(written[at]);
      continue;
    }
    const char next = written[++at];
    if (next == 'n' || next == 'r') {
      text.push_back(next == 'n' ? '\n' : '\r');
    } else {
      if (next != '\\' && next != '|' && next != '=') text.push_back('\\');
      text.push_back(next);
    }
  }
  return text;
}

}  // namespace

void Lines::begin(std::string_view payload) {
  payload_ = payload;
  ++turn_;
}

bool Lines::is_line() {
  for (std::size_t number = 0; number < forms_.patterns.size(); ++number) {
    if (match(number).matches) return true;
  }
  return (forms_.reads_logfmt && !pairs(logfmt_, read_logfmt).empty()) || (forms_.reads_cef && !pairs(cef_, read_cef).empty());
}

const Lines::Match& Lines::match(std::size_t pattern) {
  if (matches_.size() <= pattern) matches_.resize(forms_.patterns.size());
  auto& match = matches_[pattern];
  if (match.turn != turn_) {
    const auto& entry = forms_.patterns[pattern];
    match.turn = turn_;
    match.groups.assign(entry.groups, {});
    match.matches = entry.pattern->match(payload_, match.groups);
  }
  return match;
}

const std::vector<Lines::Pair>& Lines::pairs(Pairs& kept, void (*read)(std::string_view line, std::vector<Pair>& pairs)) {
  if (kept.turn != turn_) {
    kept.turn = turn_;
    empty(kept.pairs);
    read(payload_, kept.pairs);
  }
  return kept.pairs;
}

std::optional<std::string_view> Lines::group(std::size_t pattern, std::size_t number) {
  const auto& found = match(pattern);
  if (!found.matches || !found.groups[number].begin) return std::nullopt;
  return until_nul({found.groups[number].begin, found.groups[number].size});
}

std::optional<std::string_view> Lines::logfmt(std::string_view key, Arena& arena) {
  const auto& found = pairs(logfmt_, read_logfmt);
  const auto last = std::find_if(found.rbegin(), found.rend(), [&](const Pair& pair) { return pair.key == key; });
  if (last == found.rend()) return std::nullopt;
  return until_nul(last->is_quoted ? unescaped(last->value, arena) : last->value);
}

std::optional<std::string_view> Lines::cef(std::string_view name, Arena& arena) {
  const auto& found = pairs(cef_, read_cef);
  const auto last = std::find_if(found.rbegin(), found.rend(), [&](const Pair& pair) { return pair.key == name; });
  return last == found.rend() ? std::nullopt : std::optional(until_nul(cef_text(last->value, arena)));
}

void Lines::read_logfmt(std::string_view line, std::vector<Pair>& pairs) {
  for (std::size_t at = 0; at < line.size();) {
    const auto begin = at;
    while (at < line.size() && is_key(line[at])) ++at;
    if (at == begin || at == line.size() || line[at] != '=') {
      // a word without a value
      if (at < line.size() && (at == begin || line[at] == '"')) ++at;
      continue;
    }
    Pair pair{line.substr(begin, at - begin), {}};
    ++at;
    const bool may_be_quoted = at < line.size() && line[at] == '"';
    if (const auto quote = may_be_quoted ? closing_quote(line, at + 1) : std::string_view::npos; quote != std::string_view::npos) {
      pair.is_quoted = true;
      pair.value = line.substr(at + 1, quote - at - 1);
      at = quote + 1;
    } else {
      const auto value = at;
      while (at < line.size() && !is_blank_or_control(line[at])) ++at;
      pair.value = line.substr(value, at - value);
    }
    pairs.push_back(pair);
  }
}

void Lines::read_cef(std::string_view line, std::vector<Pair>& pairs) {
  auto at = line.find("CEF:");
  if (at == std::string_view::npos) return;
  at += 4;
  for (const auto name : cef_header) {
    const auto end = find_plain(line, '|', at);
    if (end == line.size()) return pairs.clear();  // the header has seven fields, each with its end
    pairs.push_back({name, line.substr(at, end - at)});
    at = end + 1;
  }
  const auto header = pairs.size();
  const auto extension = at;
  while (!line.empty() && is_blank_or_control(line.back())) line.remove_suffix(1);
  for (auto equals = find_plain(line, '=', at); equals < line.size(); equals = find_plain(line, '=', equals + 1)) {
    auto key = equals;
    while (key > at && is_cef_key(line[key - 1])) --key;
    const bool begins = key < equals && (key == extension || is_blank_or_control(line[key - 1]));
    if (!begins) continue;  // a part of the value before it
    if (pairs.size() > header) {
      auto& value = pairs.back().value;
      auto end = key;
      while (end > at && is_blank_or_control(line[end - 1])) --end;
      const auto from = static_cast<std::size_t>(value.data() - line.data());
      value = line.substr(from, std::max(end, from) - from);
    }
    pairs.push_back({line.substr(key, equals - key), line.substr(equals + 1)});
    at = equals + 1;
  }
}

}  // namespace lanner
