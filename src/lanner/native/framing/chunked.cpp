#include "framing/chunked.hpp"

#include <cstring>

namespace lanner {
namespace {

constexpr std::size_t longest_size_line = 4096;
constexpr std::size_t longest_trailer = std::size_t{64} * 1024;

bool is_padding(char c) { return c == ' ' || c == '\t'; }

std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, 20)) result += c >= ' ' && c <= '~' ? c : '?';
  return result;
}

}  // namespace

std::string_view Decoder::next(std::string_view& data) {
  while (!data.empty() && !complete && error.empty()) {
    if (left_) {
      const auto part = data.substr(0, data.size() < left_ ? data.size() : static_cast<std::size_t>(left_));
      data.remove_prefix(part.size());
      left_ -= part.size();
      expects_line_end_ = !left_;
      return part;
    }
    const auto end = data.find('\n');
    const auto part = data.substr(0, end);
    if (line_.size() + part.size() > longest_size_line) {
      error = "a chunk's size line is too long";
      break;
    }
    if (end == std::string_view::npos) {
      line_.append(part);
      break;
    }
    data.remove_prefix(end + 1);
    if (line_.empty()) {
      take(part);
    } else {
      line_.append(part);
      const std::string whole = std::move(line_);
      line_.clear();
      take(whole);
    }
  }
  data = {};
  return {};
}

std::size_t Decoder::feed(std::string_view data, char* out) {
  char* const begin = out;
  for (auto part = next(data); !part.empty(); part = next(data)) {
    std::memcpy(out, part.data(), part.size());
    out += part.size();
  }
  return static_cast<std::size_t>(out - begin);
}

void Decoder::take(std::string_view line) {
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (expects_line_end_) {
    expects_line_end_ = false;
    if (!line.empty()) error = "a chunk is followed by '" + printable(line) + "' instead of a line end";
  } else if (ended) {
    complete = line.empty();
    trailer_size_ += line.size() + 2;
    if (trailer_size_ > longest_trailer) error = "the trailer after the last chunk is too long";
  } else {
    take_size(line);
  }
}

void Decoder::take_size(std::string_view line) {
  auto digits = line.substr(0, line.find(';'));
  while (!digits.empty() && is_padding(digits.front())) digits.remove_prefix(1);
  while (!digits.empty() && is_padding(digits.back())) digits.remove_suffix(1);
  std::uint64_t size = 0;
  for (const char c : digits) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0 || digits.size() > 15) {
      size = UINT64_MAX;
      break;
    }
    size = size * 16 + static_cast<std::uint64_t>(digit);
  }
  if (digits.empty() || size == UINT64_MAX) {
    error = "invalid chunk size '" + printable(digits) + "'";
    return;
  }
  left_ = size;
  ended = size == 0;
}

}  // namespace lanner
