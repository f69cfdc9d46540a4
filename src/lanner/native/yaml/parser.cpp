#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>
#include <utility>

#include "yaml/builder.hpp"
#include "yaml/text.hpp"
#include "yaml/tree.hpp"

namespace lanner {
namespace {

// The text with a byte order mark for UTF-8: the caller has decoded it, and yaml-cpp must not guess.
class Buffer final : public std::streambuf {
 public:
  explicit Buffer(std::string_view text) : text_(text) { setg(mark_, mark_, mark_ + sizeof mark_); }

 protected:
  int_type underflow() override {
    if (given_ || text_.empty()) return traits_type::eof();
    given_ = true;
    char* const begin = const_cast<char*>(text_.data());  // no code writes to a get area
    setg(begin, begin, begin + text_.size());
    return traits_type::to_int_type(*begin);
  }

 private:
  char mark_[3] = {'\xEF', '\xBB', '\xBF'};
  std::string_view text_;
  bool given_ = false;
};

constexpr std::string_view unknown_anchor = "the referenced anchor is not defined";

bool has_ended(const YamlTree& tree, const YamlLimits& limits) {
  return !tree.documents.empty() && (limits.only_first || tree.nodes[tree.documents.back()].kind == YamlNode::Kind::null);
}

struct ParseResult {
  YamlTree tree;
  std::vector<YamlSpan> quoted, quoted_in_flow, plain_roots;
};

ParseResult parse(std::string_view text, const YamlLimits& limits) {
  ParseResult parsed;
  YamlBuilder builder(text, limits, parsed.tree);
  Buffer buffer(text);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (!has_ended(parsed.tree, limits) && parser.HandleNextDocument(builder)) {}
  } catch (const YamlLimit& limit) {
    parsed.tree.error = limit.error;
  } catch (const YAML::ParserException& error) {
    const auto mark = to_mark(error.mark);
    const std::size_t size = error.msg.starts_with(unknown_anchor) ? after_name(text, mark.offset) - mark.offset : 1;
    parsed.tree.error = {error.msg, mark, false, size};
  }
  parsed.quoted = std::move(builder.quoted);
  parsed.quoted_in_flow = std::move(builder.quoted_in_flow);
  parsed.plain_roots = std::move(builder.plain_roots);
  return parsed;
}

// Falco 0.44.1 uses a yaml-cpp between the releases 0.8 and 0.9. The code below makes an older one, such as Debian's, behave like it.
// The older one accepts a scalar after a quoted scalar in a line, and a line that begins with a comma. It does not treat a carriage return
// as a line end, and it does not name a missing anchor.

constexpr YamlLimits few{10, 10, false};

bool is_older() {
  static const bool older = !parse("'a' b", few).tree.error;
  return older;
}

bool is_lone_return(std::string_view text, std::size_t at) { return text[at] == '\r' && char_at(text, at + 1) != '\n'; }

std::string with_line_ends(std::string_view text) {
  std::string changed(text);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_lone_return(text, at)) changed[at] = '\n';
  }
  return changed;
}

YamlError error_at(std::string_view text, std::size_t at, const char* message) {
  const auto begin = text.substr(0, at).rfind('\n') + 1;  // 0 in the first line
  return {message,
          {at, static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n')), at - begin}};
}

// Whether a scalar or a comma follows a quoted scalar in its line. Other characters end the reading otherwise.
bool is_second(std::string_view text, std::size_t at) {
  if (at >= text.size() || is_break(text[at])) return false;
  if ((text[at] == ':' || text[at] == '-') && is_space_or_end(text, at + 1)) return false;
  if (text[at] == '?' && at + 1 < text.size() && is_space(text[at + 1])) return false;
  return std::string_view("#[]{}&*!|>").find(text[at]) == std::string_view::npos;
}

// Whether the parser stopped. The scanner is ahead of it by a possible key.
bool is_parsers(const std::optional<YamlError>& error) {
  return error && (error->message.starts_with("end of ") || error->message.starts_with(unknown_anchor));
}

// Whether only indicators precede a place in its line, so that a key may begin there.
bool begins_line(std::string_view text, std::size_t at) {
  const auto before = text.substr(0, at).find_last_not_of(" -?");
  return before == text.npos || is_break(text[before]);
}

std::optional<YamlError> second_scalar(std::string_view text, const ParseResult& parsed) {
  auto spans = parsed.quoted;
  const auto& error = parsed.tree.error;
  if (error && is_parsers(error) && !error->message.ends_with("flow not found")) {
    const auto at = error->mark.offset;
    const char first = char_at(text, at);
    if ((first == '\'' || first == '"') && begins_line(text, at)) spans.push_back({at, after_quoted(text, at)});
  }
  for (const auto& each : spans) {
    // an unclosed one ends where the text was cut
    const bool is_closed = each.end > each.begin + 1 && text[each.end - 1] == text[each.begin];
    const auto at = after_blanks(text, each.end);
    if (is_closed && is_second(text, at)) return error_at(text, at, "unexpected scalar");
  }
  return std::nullopt;
}

std::optional<YamlError> leading_comma(std::string_view text, const ParseResult& parsed, const YamlLimits& limits) {
  if (has_ended(parsed.tree, limits)) {
    const auto& last = parsed.tree.nodes[parsed.tree.documents.back()];
    text = text.substr(0, std::max(last.end, last.mark.offset + 1));
  }
  const auto is_inside = [](const std::vector<YamlSpan>& spans, std::size_t at) {
    const auto next =
        std::upper_bound(spans.begin(), spans.end(), at, [](std::size_t place, const YamlSpan& span) { return place < span.begin; });
    return next != spans.begin() && at < std::prev(next)->end;
  };
  for (auto at = text.find(','); at != text.npos; at = text.find("\n,", at)) {
    at += text[at] == '\n';
    const bool leads = at == 0 || text[at - 1] == '\n';
    if (leads && !is_inside(parsed.quoted, at) && !is_inside(parsed.quoted_in_flow, at) && !is_inside(parsed.plain_roots, at)) {
      return error_at(text, at, "plain value cannot start with flow indicator character");
    }
  }
  return std::nullopt;
}

// The start of the first line after a place that is neither empty nor a comment.
std::size_t next_token_line(std::string_view text, std::size_t at) {
  const auto feed = text.find('\n', at);
  if (feed == text.npos) return text.size();
  const auto next = after_spaces(text, feed);
  return next == text.size() ? next : text.rfind('\n', next) + 1;
}

void answer_like_newer(std::string_view text, ParseResult& parsed, const YamlLimits& limits) {
  auto& error = parsed.tree.error;
  if (error && error->message == unknown_anchor)
    error->message += ": " + std::string(text.substr(error->mark.offset + 1, error->length - 1));
  auto found = second_scalar(text, parsed);
  std::size_t last = text.size();  // where a comma counts
  if (error && !error->is_limit) {
    last = error->mark.offset;
    // the scanner may be past scalars without an event so far
    const auto reached = is_parsers(error) ? next_token_line(text, last) : last;
    auto ahead = parse(text.substr(0, reached), limits);
    if (!found) found = second_scalar(text, ahead);
    std::swap(ahead.quoted, parsed.quoted);
    std::swap(ahead.quoted_in_flow, parsed.quoted_in_flow);
    std::swap(ahead.plain_roots, parsed.plain_roots);
    last = reached;
  }
  auto comma = leading_comma(text, parsed, limits);
  if (comma && error && !is_parsers(error)) {
    // it may be in the quotes that contain the error
    const auto cut = parse(text.substr(0, comma->mark.offset + 1), limits);
    if (cut.tree.error && cut.tree.error->message == "illegal EOF in scalar") comma.reset();
  }
  if (comma && comma->mark.offset <= last && (!found || comma->mark.offset < found->mark.offset)) found = std::move(comma);
  if (found && (!error || found->mark.offset <= last || is_parsers(error))) error = std::move(found);
}

}  // namespace

YamlTree read_yaml(std::string_view text, const YamlLimits& limits) {
  if (!is_older()) return parse(text, limits).tree;
  std::string changed;
  if (text.find('\r') != text.npos) {
    changed = with_line_ends(text);
    text = changed;
  }
  auto parsed = parse(text, limits);
  answer_like_newer(text, parsed, limits);
  return std::move(parsed.tree);
}

}  // namespace lanner
