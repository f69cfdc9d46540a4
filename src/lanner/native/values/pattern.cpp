#include "values/pattern.hpp"

#include <array>
#include <stdexcept>

#include <simdjson.h>

#include "values/utf8.hpp"

namespace lanner {
namespace {

void* compile(const RegexEngine& engine, std::string_view expression) {
  std::array<char, 200> error{};
  void* regex = engine.compile(expression.data(), expression.size(), error.data(), error.size());
  if (!regex) throw std::runtime_error("invalid pattern: " + std::string(error.data()));
  return regex;
}

constexpr char substitute = '\x1A';

std::string with_substitutes(std::string_view line) {
  std::string text(line);
  for (std::size_t at = 0; at < text.size();) {
    const auto size = utf8_character(line.substr(at));
    if (size == 0) text[at] = substitute;
    at += size ? size : 1;
  }
  return text;
}

}  // namespace

Pattern::Pattern(const RegexEngine& engine, std::string_view expression)
    : engine_(engine), regex_(compile(engine, expression), engine.release) {}

bool Pattern::match(std::string_view line, std::vector<RegexGroup>& groups) const {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (simdjson::validate_utf8(line.data(), line.size()))
    return engine_.match(regex_.get(), line.data(), line.size(), groups.data(), groups.size());
  const auto text = with_substitutes(line);
  if (!engine_.match(regex_.get(), text.data(), text.size(), groups.data(), groups.size())) return false;
  for (auto& group : groups) {
    if (group.begin) group.begin = line.data() + (group.begin - text.data());
  }
  return true;
}

}  // namespace lanner
