#include "values/document.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <new>

#include <simdjson.h>

#include "values/characters.hpp"
#include "values/pointer.hpp"
#include "values/readable.hpp"

namespace lanner {
namespace {

// The memory of a large payload is released when the next ones are small
constexpr std::size_t kept_capacity = 1 << 20;

// RFC 8259, section 6
bool is_number(const char* at, const char* end) {
  const auto digits = [&] {
    const char* begin = at;
    while (at != end && is_digit(*at)) ++at;
    return at != begin;
  };
  if (at != end && *at == '-') ++at;
  if (at != end && *at == '0') {
    ++at;
  } else if (!digits()) {
    return false;
  }
  if (at != end && *at == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    if (!digits()) return false;
  }
  return at == end;
}

bool fits(const char* at, const char* end) {
  std::uint64_t natural;
  std::int64_t integer;
  const auto whole = [&](auto& number) {
    const auto [stop, error] = std::from_chars(at, end, number);
    return error == std::errc{} && stop == end;
  };
  return *at == '-' ? whole(integer) : whole(natural);
}

// The offset after the text that begins at `at`, or the end.
template <typename Char>
Char* after_text(Char* at, const char* end) {
  for (++at; at != end && *at != '"'; ++at) {
    if (*at == '\\' && at + 1 != end) ++at;
  }
  return at == end ? at : at + 1;
}

// The nesting depth of brackets; any number for a payload that is not JSON.
std::size_t levels(const char* at, const char* end) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  while (at != end) {
    if (*at == '"') {
      at = after_text(at, end);
      continue;
    }
    if (*at == '[' || *at == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((*at == ']' || *at == '}') && depth) {
      --depth;
    }
    ++at;
  }
  return deepest;
}

// Whether simdjson may have rejected valid JSON: for its numbers or its levels.
bool may_be_json(simdjson::error_code error) {
  switch (error) {
    case simdjson::EMPTY:
    case simdjson::UTF8_ERROR:
    case simdjson::UNCLOSED_STRING:
    case simdjson::UNESCAPED_CHARS:
    case simdjson::STRING_ERROR:
    case simdjson::TAPE_ERROR:
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return false;
    default:  // newer releases have further errors for large numbers
      return true;
  }
}

// Whether simdjson may have rejected the payload for strings that are not Unicode.
bool may_be_readable(simdjson::error_code error) { return error == simdjson::UTF8_ERROR || error == simdjson::STRING_ERROR; }

// simdjson rejects numbers that fit neither 64 bits nor a double, which are valid JSON: replace them with null. Tokens knows their digits.
// Numbers of fewer than four characters always fit.
void rewrite_numbers(char* at, char* end) {
  while (at != end) {
    if (*at == '"') {
      at = after_text(at, end);
    } else if (*at == '-' || is_digit(*at)) {
      char* const begin = at;
      while (at != end && is_number_char(*at)) ++at;
      if (at - begin >= 4 && is_number(begin, at) && !fits(begin, at)) {
        std::memset(begin, ' ', static_cast<std::size_t>(at - begin));
        std::memcpy(begin, "null", 4);
      }
    } else {
      ++at;
    }
  }
}

}  // namespace

static_assert(Document::padding >= simdjson::SIMDJSON_PADDING);

struct Document::Parsed {
  Parsed(const Forms& forms, Search& of) : search(of), lines(forms) {}

  simdjson::dom::parser parser;
  Search& search;
  Tokens tokens;
  Lines lines;
  bool has_pointers = false;

  // `room` is the least capacity of a new parser.
  simdjson::error_code parse(const char* data, std::size_t size, std::size_t depth, std::size_t room) {
    if (parser.max_depth() != depth || parser.capacity() < size) {
      if (const auto error = parser.allocate(std::max(room, size + size / 2), depth)) {
        if (error == simdjson::MEMALLOC) throw std::bad_alloc();
        return error;
      }
    }
    const auto error = parser.parse(data, size, false).error();
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    if (!error) {
      const Tape tape(parser.doc.tape.get(), parser.doc.string_buf.get());
      search.set(tape);
      tokens.begin(parser, tape, {data, size});
    }
    return error;
  }
};

Document::Document(const Places& places)
    : forms_(places.forms), search_(places), parsed_(std::make_unique<Parsed>(places.forms, search_)) {}
Document::~Document() = default;

Context Document::context(const Given& given, Arena& arena) {
  return {search_, parsed_->tokens, parsed_->lines, payload_, parsed_->has_pointers, given, arena};
}

bool Document::load(std::string_view payload) {
  begin();
  size_ = payload.size();
  make_room(size_);
  std::memcpy(buffer_.data(), payload.data(), size_);
  std::memset(buffer_.data() + size_, ' ', padding);
  // simdjson would skip a byte order mark; RFC 8259 leaves that open, and Python's decoders reject it
  valid_ = size_ && reads_json() && !payload.starts_with("\xEF\xBB\xBF") && parse_copy();
  const bool is_readable = finish(original_.empty() ? std::string_view(buffer_.data(), size_) : original_);
  is_copied_ = true;
  return is_readable;
}

bool Document::load_in_place(std::string_view payload) {
  // rare cases are left to the other function, which may write to its copy
  if (payload.empty() || payload.starts_with("\xEF\xBB\xBF")) return load(payload);
  begin();
  if (std::max(buffer_.size(), parsed_->parser.capacity()) > kept_capacity && payload.size() < kept_capacity / 4) {
    parsed_->parser = simdjson::dom::parser();
    buffer_ = std::vector<char>();
  }
  if (reads_json()) {
    if (parsed_->parse(payload.data(), payload.size(), max_depth, buffer_.size())) return load(payload);
    valid_ = true;
  }
  return finish(payload);
}

void Document::begin() {
  // also if loading throws
  valid_ = is_copied_ = has_invalid_utf8_ = false;
  payload_ = {};
  if (!original_.empty()) empty(original_);
  search_.begin();
  parsed_->has_pointers = false;
  if (forms_.reads_lines()) parsed_->lines.begin({});
}

bool Document::finish(std::string_view payload) {
  payload_ = payload;
  if (forms_.reads_pointers) parsed_->has_pointers = has_pointers(payload);
  bool is_readable = valid_ || parsed_->has_pointers;
  if (forms_.reads_lines()) {
    parsed_->lines.begin(payload);
    is_readable = is_readable || parsed_->lines.is_line();
  }
  // of JSON it is known already
  if (is_readable && !valid_) has_invalid_utf8_ = !simdjson::validate_utf8(payload.data(), payload.size());
  return is_readable;
}

// Parses the payload in the buffer.
bool Document::parse_copy() {
  char* const end = buffer_.data() + size_;
  auto error = parsed_->parse(buffer_.data(), size_, max_depth, buffer_.size());
  if (error && may_be_json(error)) {
    const auto depth = levels(buffer_.data(), end);
    if (depth > max_depth) return false;
    original_.assign(buffer_.data(), size_);
    rewrite_numbers(buffer_.data(), end);
    // within its limit simdjson does not count an innermost empty array or object, but one more level for all others
    error = parsed_->parse(buffer_.data(), size_, std::max(max_depth, depth + 1), buffer_.size());
    parsed_->tokens.set_original(original_);
  }
  return may_be_readable(error) ? parse_readable() : !error;
}

// The same, but strings need not be Unicode.
bool Document::parse_readable() {
  if (original_.empty()) original_.assign(buffer_.data(), size_);
  auto text = make_readable(original_);
  const auto size = text.size() - simdjson::SIMDJSON_PADDING;
  const auto depth = levels(text.data(), text.data() + size);
  if (depth > max_depth) return false;
  rewrite_numbers(text.data(), text.data() + size);
  if (parsed_->parse(text.data(), size, std::max(max_depth, depth + 1), buffer_.size())) return false;
  parsed_->tokens.set_original(original_);
  restore_bytes(parsed_->parser.doc);
  return has_invalid_utf8_ = true;
}

Result Document::read(const Value& value, const Given& given, Arena& arena, Misfits* misfits) {
  auto context = this->context(given, arena);
  context.misfits = misfits;
  return evaluate_field(value, context);
}

void Document::make_room(std::size_t size) {
  const bool is_spare = std::max(buffer_.size(), parsed_->parser.capacity()) > kept_capacity && size < kept_capacity / 4;
  if (!is_spare && buffer_.size() >= size + padding) return;
  if (is_spare) parsed_->parser = simdjson::dom::parser();
  buffer_ = std::vector<char>(size + size / 2 + padding);
}

}  // namespace lanner
