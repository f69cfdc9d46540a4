#include "rules/transforms.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace lanner {
namespace {

void put(Cell& cell, Scalar scalar) {
  cell.state = Cell::State::scalar;
  cell.scalar = scalar;
}

// Calls `visit` with each value, or with the only one
template <typename Visit>
void each(const Cell& cell, Visit&& visit) {
  if (cell.state != Cell::State::list) return visit(cell.scalar);
  for (const auto& value : cell.list) visit(value);
}

// The first of a list, else the value itself; null for an empty list
const Scalar* first(const Cell& cell) {
  if (cell.state != Cell::State::list) return &cell.scalar;
  return cell.list.empty() ? nullptr : &cell.list[0];
}

// The text that Falco reads if it treats a value as a C string: for a number its bytes, little endian
std::string_view text_of(const Scalar& value, const Type& type, Arena& arena) {
  if (value.is_text) return type.is == Type::Is::text && !type.is_binary ? value.text : c_text(value.text);
  auto& raw = arena.take();
  auto number = value.number;
  for (std::size_t left = type.is == Type::Is::boolean ? 4 : 8; left > 0 && (number & 0xFF) != 0; --left, number >>= 8)
    raw.push_back(static_cast<char>(number & 0xFF));
  return raw;
}

std::string_view change_case(std::string_view text, char begin, char end, char target, Arena& arena) {
  auto& result = arena.take();
  result.assign(text);
  for (auto& c : result) {
    if (c >= begin && c <= end) c = static_cast<char>(c - begin + target);
  }
  return result;
}

constexpr std::array<int, 256> digits_of_base64() {
  std::array<int, 256> digits{};
  for (auto& digit : digits) digit = -1;
  const char* alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int place = 0; place < 64; ++place) digits[static_cast<unsigned char>(alphabet[place])] = place;
  return digits;
}

// Base64, with or without its `=` (at most two). Unused bits must be 0. False for invalid text.
bool decode(std::string_view text, std::string_view& decoded, Arena& arena) {
  static constexpr auto digits = digits_of_base64();
  if (text.empty()) {
    decoded = text;
    return true;
  }
  const auto body = text.substr(0, text.size() - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0));
  if (body.empty() || body.size() % 4 == 1) return false;
  auto& result = arena.take();
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : body) {
    const int digit = digits[static_cast<unsigned char>(c)];
    if (digit < 0) return false;
    bits = (bits << 6 | static_cast<std::uint32_t>(digit)) & 0xFFFF;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    result.push_back(static_cast<char>(bits >> held & 0xFF));
  }
  if (bits & ((1U << held) - 1)) return false;
  decoded = stripped(result);
  return true;
}

// Transforms one text; false on failure
using Change = bool (*)(std::string_view text, std::string_view& changed, Arena& arena);

bool to_lower(std::string_view text, std::string_view& changed, Arena& arena) {
  changed = change_case(text, 'A', 'Z', 'a', arena);
  return true;
}

bool to_upper(std::string_view text, std::string_view& changed, Arena& arena) {
  changed = change_case(text, 'a', 'z', 'A', arena);
  return true;
}

bool to_basename(std::string_view text, std::string_view& changed, Arena&) {
  changed = text.substr(text.rfind('/') + 1);
  return true;
}

// A string, or each text of a list
template <Change change>
void change_all(const Operand&, const Types&, const Cells& values, Cell& result, Arena& arena) {
  const auto& value = *values[0];
  std::string_view changed;
  if (value.state != Cell::State::list) {
    if (change(value.scalar.text, changed, arena)) put(result, Scalar::of(changed));
    return;
  }
  for (const auto& item : value.list) {
    if (!change(item.text, changed, arena)) return;
    result.list.push_back(Scalar::of(changed));
  }
  result.state = Cell::State::list;
}

std::uint64_t size(const Scalar& value) { return c_text(value.text).size(); }

void length(const Operand&, const Types&, const Cells& values, Cell& result, Arena&) {
  const auto& value = *values[0];
  put(result, Scalar::of(value.state == Cell::State::list ? static_cast<std::uint64_t>(value.list.size()) : size(value.scalar)));
}

// The `len` of getopt's result: Falco measures the one text in it
void joined_length(const Operand&, const Types&, const Cells& values, Cell& result, Arena&) {
  const auto& value = *values[0];
  if (value.state == Cell::State::list && value.list.size() == 1) put(result, Scalar::of(size(value.list[0])));
}

void concat(const Operand&, const Types& types, const Cells& values, Cell& result, Arena& arena) {
  auto& text = arena.take();
  for (std::size_t place = 0; place < values.size(); ++place) {
    const auto* item = first(*values[place]);
    if (!item) return;
    text.append(text_of(*item, *types[place], arena));
  }
  put(result, Scalar::of(text));
}

// A number as an item of a list of operands
void decimal(const Operand&, const Types&, const Cells& values, Cell& result, Arena& arena) {
  const auto* item = first(*values[0]);
  if (!item) return;
  if (item->is_text) return put(result, *item);
  char digits[20];
  const auto [stop, error] = std::to_chars(digits, digits + sizeof digits, item->number);
  auto& text = arena.take();
  text.assign(digits, stop);
  put(result, Scalar::of(text));
}

// A list of operands
void items(const Operand&, const Types& types, const Cells& values, Cell& result, Arena& arena) {
  result.state = Cell::State::list;
  for (std::size_t place = 0; place < values.size(); ++place) {
    each(*values[place], [&](const Scalar& item) { result.list.push_back(Scalar::of(text_of(item, *types[place], arena))); });
  }
}

void join(const Operand&, const Types& types, const Cells& values, Cell& result, Arena& arena) {
  const auto* separator = first(*values[0]);
  if (!separator) return;
  const auto between = text_of(*separator, *types[0], arena);
  auto& text = arena.take();
  bool is_first = true;
  each(*values[1], [&](const Scalar& item) {
    if (!is_first) {
      text.append(between);
      if (types[0]->is_terminated) text.push_back('\0');
    }
    is_first = false;
    text.append(text_of(item, *types[1], arena));
  });
  put(result, Scalar::of(text));
}

// Short options of a command line: the native form of lanner.rules.language.getopt
class OptionLetters {
 public:
  explicit OptionLetters(std::string_view letters) {
    if (letters.starts_with(':')) letters.remove_prefix(1);
    for (std::size_t place = 0; place < letters.size(); ++place) {
      if (letters[place] == ':') continue;
      const auto letter = static_cast<unsigned char>(letters[place]);
      known_[letter] = true;
      if (place + 1 < letters.size() && letters[place + 1] == ':') valued_[letter] = true;
    }
  }

  // Calls `found` with each option's letter (empty if it is unknown) and its strings
  template <typename Found>
  void scan(const std::vector<std::string_view>& arguments, Found&& found) const {
    for (std::size_t position = 0; position < arguments.size();) {
      const auto argument = arguments[position++];
      if (argument.starts_with("--") && argument.size() > 2) continue;
      if (argument == "--" || !argument.starts_with('-') || argument == "-") return;
      for (std::size_t place = 1; place < argument.size(); ++place) {
        const auto name = argument.substr(place, 1);
        const auto letter = static_cast<unsigned char>(name[0]);
        if (!known_[letter]) {
          found(std::string_view(), std::string_view("?"), nullptr);
        } else if (!valued_[letter]) {
          found(name, name, nullptr);
        } else {
          if (place + 1 < argument.size()) {
            const auto value = argument.substr(place + 1);
            found(name, name, &value);
          } else if (position < arguments.size()) {
            found(name, name, &arguments[position++]);
          } else {
            found(name, std::string_view(), nullptr);
          }
          break;
        }
      }
    }
  }

 private:
  std::array<bool, 256> known_{};
  std::array<bool, 256> valued_{};
};

void getopt(const Operand& operand, const Types& types, const Cells& values, Cell& result, Arena& arena) {
  const auto raw = [&](const Scalar& value, const Type& type) {
    const auto text = text_of(value, type, arena);
    if (!type.is_terminated) return text;
    auto& closed = arena.take();
    closed.assign(text).push_back('\0');
    return std::string_view(closed);
  };
  const auto* letters = first(*values[1]);
  if (!letters) return;
  auto& arguments = arena.list();
  each(*values[0], [&](const Scalar& value) { arguments.push_back(raw(value, *types[0])); });
  OptionLetters(raw(*letters, *types[1]))
      .scan(arguments, [&](std::string_view letter, std::string_view name, const std::string_view* value) {
        if (operand.has_selector) {
          if (letter == operand.text && !letter.empty()) put(result, Scalar::of(value ? *value : name));
          return;
        }
        result.list.push_back(Scalar::of(name));
        if (value) result.list.push_back(Scalar::of(*value));
      });
  if (!operand.has_selector) result.state = Cell::State::list;
}

// In the spelling of lanner.rules.language.vocabulary; `items`, `decimal` and `joined len` are lanner.rules.plan.native_program's
constexpr Transformer table[] = {
    {"items", 0, Transformer::any, items},
    {"decimal", 1, 1, decimal},
    {"joined len", 1, 1, joined_length},
    {"tolower", 1, 1, change_all<to_lower>},
    {"toupper", 1, 1, change_all<to_upper>},
    {"b64", 1, 1, change_all<decode>},
    {"basename", 1, 1, change_all<to_basename>},
    {"len", 1, 1, length},
    {"join", 2, 2, join},
    {"concat", 1, Transformer::any, concat},
    {"getopt", 2, 2, getopt},
};

}  // namespace

std::span<const Transformer> transformers() { return table; }

const Transformer* transformer_of(std::string_view name) {
  const auto* const found = std::find_if(std::begin(table), std::end(table), [&](const Transformer& each) { return each.name == name; });
  return found == std::end(table) ? nullptr : found;
}

}  // namespace lanner
