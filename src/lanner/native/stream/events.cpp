#include "stream/events.hpp"

#include <cstring>

#include "framing/blocks.hpp"

namespace lanner {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view without_blanks(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

// Whether `test(at)` holds for a place in the text that has `room` bytes. It answers for sixteen places at once, and reads no byte behind
// the room of the last of them.
template <typename Test>
bool any_place(std::string_view text, std::size_t room, Test test) {
  constexpr std::size_t step = sizeof(Block);
  if (text.size() < room) return false;
  char padded[2 * step] = {};
  if (text.size() < step + room - 1) {
    std::memcpy(padded, text.data(), text.size());
    text = {padded, step + room - 1};  // where there are zeros nothing is found
  }
  const char* const last = text.data() + (text.size() - (step + room - 1));
  Block found{};
  for (const char* at = text.data(); at < last; at += step) found |= test(at);
  return any(found | test(last));
}

bool contains(std::string_view text, std::string_view wanted) { return text.find(wanted) != std::string_view::npos; }

Value member_names(const char* name) {
  Value value;
  value.kind = Value::Kind::keys;
  value.steps.emplace_back(std::string(name));
  return value;
}

}  // namespace

Finisher::Finisher(std::string_view name)
    : name_(name),
      plain_{std::make_shared<const std::string>(",\"lanner\":{" + name_ + "}}"),
             std::make_shared<const std::string>("\"lanner\":{" + name_ + "}}")},
      own_(member_names("lanner")) {}

bool Finisher::finish(StreamEvent& event) {
  const bool has_more = event.described || event.whole;
  const bool forged = !has_more && name_.empty() && is_forged(event.line);
  if (!has_more && name_.empty() && !forged) return false;
  const auto whole = without_blanks(event.line);
  if (whole.size() < 2 || whole.front() != '{' || whole.back() != '}') return forged;
  event.head = whole.substr(0, whole.size() - 1);
  const bool is_first = without_blanks(event.head) == "{";
  event.tail = has_more ? tail(event, is_first) : plain_[is_first];
  return forged;
}

Finisher::Text Finisher::tail(const StreamEvent& event, bool is_first) const {
  std::string text = is_first ? "\"lanner\":{" : ",\"lanner\":{";
  const char* comma = "";
  const auto add = [&](const std::string& members) {
    text += comma + members;
    comma = ",";
  };
  if (!name_.empty()) add(name_);
  if (event.whole) add("\"truncated\":\"true\",\"bytes\":" + std::to_string(event.whole));
  if (event.described) add("\"inspect\":" + *event.described);
  return std::make_shared<const std::string>(text + "}}");
}

bool Finisher::is_forged(std::string_view line) {
  // of the escapes only those with digits can stand for letters
  const bool is_suspect = any_place(line, 4, [](const char* at) {
    const Block first = load_block(at);
    const Block is_name = equals(first, 'l') & equals(load_block(at + 2), 'n') & equals(load_block(at + 3), 'n');
    const Block is_escape = equals(first, '\\') & equals(load_block(at + 1), 'u') & equals(load_block(at + 2), '0');
    return is_name | is_escape;
  });
  if (!is_suspect || (!contains(line, "lanner") && !contains(line, "\\u00")) || !document_.load(line)) return false;
  document_.read(own_, {}, names_);
  return !names_.empty();
}

bool may_start_container(std::string_view line) {
  const bool is_suspect = any_place(line, 7, [](const char* at) {
    const Block second = load_block(at + 1), third = load_block(at + 2), seventh = load_block(at + 6);
    const Block is_start = equals(second, 's') & equals(third, 't') & equals(seventh, '"');
    const Block is_create = equals(second, 'c') & equals(third, 'r') & equals(seventh, 'e');
    return equals(load_block(at), '"') & (is_start | is_create);
  });
  return is_suspect && (contains(line, "\"start\"") || contains(line, "\"create\"")) && contains(line, "\"container\"");
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
