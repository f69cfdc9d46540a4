#include "framing/objects.hpp"

#include <algorithm>
#include <cstring>

#include "framing/blocks.hpp"
#include "values/characters.hpp"
#include "values/document.hpp"

namespace lanner {
namespace {

constexpr std::size_t max_inner = 1 << 16;

// Between the items of arrays; RFC 7464 begins each text with the last
bool is_separator(char c) { return is_json_blank(c) || c == ',' || c == '[' || c == ']' || c == '\x1e'; }

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_json_blank(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_json_blank(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view without_separators(std::string_view text) {
  while (!text.empty() && is_separator(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_separator(text.front())) text.remove_prefix(1);
  return text;
}

// The end of a line, and whether the line is a single object.
struct LineEnd {
  const char* at;  // the newline, or the end of the chunk
  bool is_one_object;
};

// Checks the characters around the braces of a line that begins with one. Braces in strings count as well: a line that
// seems to contain more objects is parsed completely elsewhere.
class LineScan {
 public:
  LineScan(const char* begin, const char* end) : begin_(begin), end_(end) {}

  LineEnd run() {
    constexpr std::ptrdiff_t step = 4 * sizeof(Block);
    const char* at = begin_;
    for (; end_ - at >= step; at += step) {
      std::uint64_t bits = 0;
      for (std::size_t part = 0; part < 4; ++part) {
        const Block block = load_block(at + part * sizeof(Block));
        // both braces, and two other characters
        const Block is_brace = equals(block & static_cast<std::uint8_t>(~('{' ^ '}')), '{' & '}');
        bits |= bits_of(is_brace | equals(block, '\n')) << part * sizeof(Block);
      }
      if (!each_bit(bits, [&](std::size_t place) { return goes_on(at + place); })) return found_;
    }
    for (; at != end_; ++at) {
      if (!goes_on(at)) return found_;
    }
    return {end_, false};
  }

 private:
  // Takes the next character that may matter. Whether the end of the line is not known yet.
  bool goes_on(const char* at) {
    if (*at == '{') {
      ++depth_;
      return true;
    }
    if (*at == '\n') return ends(at, false);
    if (*at != '}') return true;
    --depth_;
    const char* next = after_blanks(at + 1);
    if (next == end_) return ends(end_, false);
    if (*next == '\n') return ends(next, depth_ == 0);
    if (depth_ < 1) return breaks_off(next);
    if (*next == '}' || *next == ']') return true;
    if (*next != ',') return breaks_off(next);
    next = after_blanks(next + 1);
    return next != end_ && *next == '"' ? true : breaks_off(next);
  }

  bool ends(const char* at, bool is_one_object) {
    found_ = {at, is_one_object};
    return false;
  }

  bool breaks_off(const char* at) {
    const void* newline = at == end_ ? nullptr : std::memchr(at, '\n', static_cast<std::size_t>(end_ - at));
    return ends(newline ? static_cast<const char*>(newline) : end_, false);
  }

  const char* after_blanks(const char* at) const {
    while (at != end_ && (*at == ' ' || *at == '\t' || *at == '\r')) ++at;
    return at;
  }

  const char* const begin_;
  const char* const end_;
  std::ptrdiff_t depth_ = 0;
  LineEnd found_{};
};

LineEnd end_of_line(std::string_view rest) {
  const char* const end = rest.data() + rest.size();
  if (rest.front() == '{') return LineScan(rest.data(), end).run();
  const void* newline = std::memchr(rest.data(), '\n', rest.size());
  return {newline ? static_cast<const char*>(newline) : end, false};
}

}  // namespace

void ObjectFramer::feed(std::string_view chunk, LineList& payloads) {
  payloads.begin(chunk);
  std::size_t at = 0;
  std::size_t looked_at = 0;  // up to here lines were tried as a whole
  while (at < chunk.size()) {
    if (part_ == Part::none) {
      for (; at < chunk.size() && is_separator(chunk[at]); ++at) {
        column_ = chunk[at] == '\n' ? 0 : column_ + is_json_blank(chunk[at]);
      }
      if (at == chunk.size()) return;
      if (at >= looked_at) {
        const auto line_end = end_of_line(chunk.substr(at));
        looked_at = static_cast<std::size_t>(line_end.at - chunk.data());
        const auto line = without_blanks(chunk.substr(at, looked_at - at));
        if (line_end.is_one_object && line.size() <= longest_) {
          payloads.add(line);
          at = looked_at;
          continue;
        }
      }
      begin(chunk[at]);
    }
    const auto from = at;
    bool is_done = false;
    bool is_whole = false;
    if (part_ == Part::object) {
      at = scan_object(chunk, at, is_done);
      is_whole = is_done && brackets_.empty();
    } else {
      at = std::min(chunk.find('\n', at), chunk.size());
      is_done = at < chunk.size();
    }
    const auto part = chunk.substr(from, at - from);
    if (is_done) {
      finish(part, is_whole, payloads);
    } else if (at == chunk.size()) {
      keep(part);
    } else {
      keep(part);  // unbalanced or too many brackets: the rest of the line is text
      part_ = Part::text;
      digest_.reset();
    }
  }
}

void ObjectFramer::end(LineList& payloads) {
  if (is_within()) finish({}, false, payloads);
}

void ObjectFramer::begin(char first) {
  part_ = first == '{' ? Part::object : Part::text;
  brackets_.clear();
  in_text_ = is_escaped_ = after_newline_ = false;
  last_ = 0;
  indent_ = column_;
  inner_.clear();
  unfinished_.clear();
}

// The end of the object, or of its part in this chunk. `is_done`: the object ends or is broken off there. Otherwise the rest of the chunk
// belongs to it, or to no object.
std::size_t ObjectFramer::scan_object(std::string_view chunk, std::size_t at, bool& is_done) {
  const std::size_t from = at;
  for (; at < chunk.size(); ++at) {
    const char c = chunk[at];
    if (c == '\n' && (in_text_ || !multiline_)) {
      is_done = true;
      return at;
    }
    if (in_text_) {
      if (c == '"' && !is_escaped_) in_text_ = false;
      is_escaped_ = c == '\\' && !is_escaped_;
      continue;
    }
    if (is_json_blank(c)) {
      after_newline_ |= c == '\n';
      column_ = c == '\n' ? 0 : column_ + after_newline_;
      continue;
    }
    if (c == '"') {
      in_text_ = true;
    } else if (c == '{' || c == '[') {
      if (after_newline_ && c == '{' && begins_another()) {
        is_done = true;
        return at;
      }
      if (brackets_.size() == max_depth) return at;
      open(c, size_ + at - from);
    } else if (c == '}' || c == ']') {
      if (brackets_.back() != (c == '}' ? '{' : '[')) return at;
      close(size_ + at - from);
      if (brackets_.empty()) {
        is_done = true;
        return at + 1;
      }
    }
    last_ = c;
    after_newline_ = false;
  }
  return at;
}

// Whether a brace at the beginning of a line must begin another object, because the previous one was broken off.
bool ObjectFramer::begins_another() const { return last_ != ':' && !(brackets_.back() == '[' && (last_ == '[' || last_ == ',')); }

void ObjectFramer::open(char bracket, std::size_t place) {
  if (bracket == '{' && after_newline_ && column_ <= indent_ && !brackets_.empty() && inner_.size() < max_inner) {
    unfinished_.push_back(inner_.size());
    inner_.push_back({place, 0, brackets_.size()});
  }
  brackets_ += bracket;
}

void ObjectFramer::close(std::size_t place) {
  brackets_.pop_back();
  if (unfinished_.empty() || inner_[unfinished_.back()].depth != brackets_.size()) return;
  inner_.resize(unfinished_.back() + 1);
  inner_.back().end = place + 1;
  unfinished_.pop_back();
}

// The text of a broken object: a payload up to the first object in it, then each object, and the strings between them. `is_held`: the text is
// valid only during this call.
void ObjectFramer::split(std::string_view text, bool is_held, LineList& payloads) {
  const auto add = [&](std::string_view part) {
    if (part.empty()) return;
    if (is_held) payloads.add_copy(std::string(part));
    else payloads.add(part);
  };
  std::size_t at = 0;
  bool is_between = false;
  for (const LineObject& inner : inner_) {
    const auto before = text.substr(at, inner.begin - at);
    add(is_between ? without_separators(before) : without_blanks(before));
    at = inner.begin;
    is_between = inner.end != 0;
    if (!is_between) continue;
    add(text.substr(at, inner.end - at));
    at = inner.end;
  }
  add(is_between ? without_separators(text.substr(at)) : without_blanks(text.substr(at)));
}

void ObjectFramer::keep(std::string_view part) {
  size_ += part.size();
  if (is_over_) {
    if (digest_) digest_->feed(part);
    return;
  }
  if (size_ <= longest_) {
    // doubling the capacity could reserve nearly twice the limit
    if (size_ > tail_.capacity()) tail_.reserve(std::min(longest_, std::max(size_, 2 * tail_.capacity())));
    tail_.append(part);
    return;
  }
  is_over_ = true;
  if (part_ == Part::object && !kept_.members.empty()) {
    digest_ = std::make_unique<Digest>(kept_);
    digest_->feed(tail_);
    digest_->feed(part);
  }
  std::string().swap(tail_);
}

// The part has ended with `last`. `is_whole`: it is an object from brace to brace.
void ObjectFramer::finish(std::string_view last, bool is_whole, LineList& payloads) {
  if (!is_whole && !inner_.empty() && !is_over_ && size_ + last.size() <= longest_) {
    const bool is_held = size_ != 0;
    if (is_held) keep(last);
    split(is_held ? std::string_view(tail_) : last, is_held, payloads);
  } else if (!size_ && last.size() <= longest_) {
    if (const auto text = without_blanks(last); !text.empty()) payloads.add(text);
  } else {
    keep(last);
    if (!is_over_) {
      const auto text = without_blanks(tail_);
      if (text.size() == tail_.size()) {
        payloads.add_copy(std::move(tail_));
      } else if (!text.empty()) {
        payloads.add_copy(std::string(text));
      }
    } else {
      auto digest = is_whole && digest_ ? digest_->finish() : std::nullopt;
      if (digest && Document(Places()).load(*digest)) {
        payloads.add_cut(std::move(*digest), size_);
      } else {
        ++too_long_;
      }
    }
  }
  std::string().swap(tail_);
  digest_.reset();
  size_ = 0;
  is_over_ = false;
  inner_.clear();
  part_ = Part::none;
}

}  // namespace lanner
