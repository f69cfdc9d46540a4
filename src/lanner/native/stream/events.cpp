#include "stream/events.hpp"

#include <cstring>
#include <initializer_list>

#include "framing/blocks.hpp"

namespace lanner {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed_line(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

// Returns whether the text contains these bytes. Compares the first and last byte at many offsets at once, and the rest only on a match.
template <std::size_t Size>
bool contains(std::string_view text, const char (&wanted)[Size]) {
  constexpr std::size_t size = Size - 1;  // without the NUL
  constexpr std::size_t step = sizeof(Block);
  const std::string_view whole(wanted, size);
  const auto candidates = [&](const char* place) {
    return bits_of(equals(load_block(place), wanted[0]) & equals(load_block(place + size - 1), wanted[size - 1]));
  };
  std::size_t at = 0;
  for (; at + 4 * step + size - 1 <= text.size(); at += 4 * step) {
    const char* const place = text.data() + at;
    const auto bits = candidates(place) | candidates(place + step) << step | candidates(place + 2 * step) << 2 * step |
                      candidates(place + 3 * step) << 3 * step;
    if (!each_bit(bits, [&](std::size_t bit) { return std::memcmp(place + bit, wanted, size) != 0; })) return true;
  }
  return text.find(whole, at) != std::string_view::npos;
}

}  // namespace

Finisher::Finisher(std::string_view name)
    : name_(name),
      plain_{std::make_shared<const std::string>(",\"lanner\":{" + name_ + "}}"),
             std::make_shared<const std::string>("\"lanner\":{" + name_ + "}}")},
      own_(make_keys(make_path({"lanner"}, false, places_))),
      document_(places_) {}

bool Finisher::finish(StreamEvent& event) {
  const bool forged = !event.whole && name_.empty() && is_forged(event.line);
  if (event.whole || !name_.empty() || forged) add(event, {});
  return forged;
}

void Finisher::add(StreamEvent& event, std::string_view container) const {
  const auto whole = trimmed_line(event.line);
  if (whole.size() < 2 || whole.front() != '{' || whole.back() != '}') return;
  event.head = whole.substr(0, whole.size() - 1);
  const bool is_first = trimmed_line(event.head) == "{";
  event.tail = event.whole || !container.empty() ? tail(event.whole, container, is_first) : plain_[is_first];
}

Finisher::Text Finisher::tail(std::size_t whole, std::string_view container, bool is_first) const {
  std::string text = is_first ? "\"lanner\":{" : ",\"lanner\":{";
  auto add = [&, comma = ""](std::initializer_list<std::string_view> parts) mutable {
    text += comma;
    for (const auto part : parts) text += part;
    comma = ",";
  };
  if (!name_.empty()) add({name_});
  if (whole) add({"\"truncated\":\"true\",\"bytes\":", std::to_string(whole)});
  if (!container.empty()) add({"\"inspect\":", container});
  text += "}}";
  return std::make_shared<const std::string>(std::move(text));
}

bool Finisher::is_forged(std::string_view line) {
  // only escapes with digits can encode letters
  if ((!contains(line, "lanner") && !contains(line, "\\u00")) || !document_.load(line)) return false;
  arena_.clear();
  return !std::holds_alternative<std::monostate>(document_.read(own_, {}, arena_));
}

bool may_start_container(std::string_view line) {
  return (contains(line, "\"start\"") || contains(line, "\"create\"")) && contains(line, "\"container\"");
}

std::size_t fitting(std::span<const StreamEvent> events, std::size_t count, std::size_t size) {
  std::size_t fits = 0;
  for (const auto& event : events) {
    if (fits == count || event.size() > size) break;
    size -= event.size();
    ++fits;
  }
  return fits;
}

std::size_t covering(std::span<const StreamEvent> events, std::size_t count, std::size_t size) {
  std::size_t covers = 0;
  std::size_t covered = 0;
  for (const auto& event : events) {
    if (covers >= count && covered >= size) break;
    covered += event.size();
    ++covers;
  }
  return covers;
}

}  // namespace lanner
