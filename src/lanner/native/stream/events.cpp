#include "stream/events.hpp"

#include <initializer_list>

#include "framing/blocks.hpp"

namespace lanner {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed_line(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

// Returns whether `confirms` the rest of the text from an offset that `candidates` has found. `candidates` takes the address of a block of
// offsets, and reads up to `reach` bytes after the block.
template <typename Candidates, typename Confirm>
bool any_place(std::string_view text, std::size_t reach, Candidates&& candidates, Confirm&& confirms) {
  constexpr std::size_t step = sizeof(Block);
  const auto check = [&](std::size_t at, std::uint64_t bits) {
    return !each_bit(bits, [&](std::size_t bit) { return !confirms(text.substr(at + bit)); });
  };
  std::size_t at = 0;
  if (text.size() < step + reach) {
    while (at < text.size() && !confirms(text.substr(at))) ++at;
    return at < text.size();
  }
  const auto bits = [&](std::size_t from) { return bits_of(candidates(text.data() + from)); };
  const std::size_t last = text.size() - step - reach;
  for (; at + 3 * step <= last; at += 4 * step) {
    if (check(at, bits(at) | bits(at + step) << step | bits(at + 2 * step) << 2 * step | bits(at + 3 * step) << 3 * step)) return true;
  }
  for (; at < last; at += step) {
    if (check(at, bits(at))) return true;
  }
  return check(last, bits(last));
}

// Returns whether the text contains these bytes.
template <std::size_t Size>
bool contains(std::string_view text, const char (&wanted)[Size]) {
  constexpr std::size_t reach = Size - 2;  // without the NUL
  const auto candidates = [&](const char* at) { return equals(load_block(at), wanted[0]) & equals(load_block(at + reach), wanted[reach]); };
  return any_place(text, reach, candidates, [&](std::string_view rest) { return rest.starts_with(wanted); });
}

constexpr std::string_view own_name = "lanner", letter_escape = "\\u00";

// Returns whether the line may have a member with that name: only escapes with digits can encode letters.
bool may_be_forged(std::string_view line) {
  constexpr std::size_t reach = own_name.size() - 1;
  const auto candidates = [](const char* at) {
    const auto block = load_block(at);
    return (equals(block, own_name.front()) & equals(load_block(at + reach), own_name.back())) |
           (equals(block, letter_escape[0]) & equals(load_block(at + 1), letter_escape[1]));
  };
  return any_place(line, reach, candidates,
                   [](std::string_view rest) { return rest.starts_with(own_name) || rest.starts_with(letter_escape); });
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
  if (!may_be_forged(line) || !document_.load(line)) return false;
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
