#include "values/re2_engine.hpp"

#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <new>
#include <string>

namespace lanner {
namespace {

void say(char* error, std::size_t size, const char* text) { std::snprintf(error, size, "%s", text); }

void* compile(const char* expression, std::size_t size, char* error, std::size_t error_size) {
  try {
    auto regex = std::make_unique<RE2>(re2::StringPiece(expression, size), re2_options());
    if (regex->ok()) return regex.release();
    say(error, error_size, regex->error().c_str());
  } catch (const std::exception& problem) {
    say(error, error_size, problem.what());
  }
  return nullptr;
}

void release(void* regex) { delete static_cast<RE2*>(regex); }

std::size_t group(const void* regex, const char* name, std::size_t size) {
  const auto& groups = static_cast<const RE2*>(regex)->NamedCapturingGroups();
  const auto found = groups.find(std::string(name, size));
  return found == groups.end() ? 0 : static_cast<std::size_t>(found->second);
}

bool match(const void* regex, const char* text, std::size_t size, RegexGroup* groups, std::size_t count) {
  constexpr std::size_t few = 32;
  re2::StringPiece pieces[few];
  std::unique_ptr<re2::StringPiece[]> more(count > few ? new (std::nothrow) re2::StringPiece[count] : nullptr);
  if (count > few && !more) return false;
  auto* const found = more ? more.get() : pieces;
  const auto& re2 = *static_cast<const RE2*>(regex);
  if (!re2.Match(re2::StringPiece(text, size), 0, size, RE2::ANCHOR_BOTH, found, static_cast<int>(count))) return false;
  for (std::size_t number = 0; number < count; ++number) groups[number] = {found[number].data(), found[number].size()};
  return true;
}

}  // namespace

RE2::Options re2_options() {
  RE2::Options options;
  options.set_log_errors(false);
  return options;
}

const RegexEngine re2_engine{compile, release, group, match};

}  // namespace lanner
