#include "yaml/builder.hpp"

#include <algorithm>

#include "yaml/text.hpp"

namespace lanner {

void YamlBuilder::OnDocumentStart(const YAML::Mark&) { anchors_.clear(); }

void YamlBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  YamlNode node = make(YamlNode::Kind::null, mark, {});
  const std::size_t at = after_properties(text_, node.begin);
  if (const std::size_t size = null_size(at)) {
    node.value = text_.substr(at, size);
    node.end = at + size;
  } else {
    node.begin = node.end = missing_at(node.begin);
  }
  place(keep(std::move(node), anchor));
}

void YamlBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) {
  YamlNode node = make(YamlNode::Kind::scalar, mark, tag);
  const std::size_t at = after_properties(text_, node.begin);
  const char first = char_at(text_, at);
  const bool is_quoted = first == '\'' || first == '"';
  if (is_quoted || (!flows_ && (first == '|' || first == '>'))) node.style = first;
  node.value = value;
  node.weight += value.size();
  node.end = after_scalar(text_, at, node.style, value);
  if (is_quoted) {
    (flows_ ? quoted_in_flow : quoted).push_back({at, node.end});
  } else if (open_.empty() && !node.style) {
    plain_roots.push_back({at, node.end});
  }
  place(keep(std::move(node), anchor));
}

void YamlBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto index = anchors_.at(anchor - 1);
  const auto at = to_mark(mark);
  for (const auto& each : open_) {
    if (each.index != index) continue;
    const auto size = after_name(text_, at.offset) - at.offset;
    throw YamlLimit{{"the alias '" + std::string(text_.substr(at.offset, size)) + "' is inside the node that it names", at, true, size}};
  }
  aliased_ += tree_.nodes[index].weight;
  if (aliased_ > limits_.aliased) {
    const auto size = after_name(text_, at.offset) - at.offset;
    throw YamlLimit{
        {"aliases expand to more than " + std::to_string(limits_.aliased) + " nodes and characters up to here", at, true, size}};
  }
  place(index);
  last_end_ = after_name(text_, at.offset);
}

void YamlBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value style) {
  start(YamlNode::Kind::sequence, mark, tag, anchor, style == YAML::EmitterStyle::Flow);
}

void YamlBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value style) {
  start(YamlNode::Kind::mapping, mark, tag, anchor, style == YAML::EmitterStyle::Flow);
}

YamlNode YamlBuilder::make(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag) const {
  const auto at = to_mark(mark);
  const auto begin = std::min(at.offset, text_.size());
  return {kind, 0, at, begin, begin, tag == "?" || tag == "!" ? std::string{} : tag, {}, {}, 1};
}

bool YamlBuilder::is_value() const {
  if (open_.empty()) return false;
  const auto& parent = tree_.nodes[open_.back().index];
  return parent.kind == YamlNode::Kind::mapping && parent.children.size() % 2 == 1;
}

bool YamlBuilder::is_key() const {
  if (open_.empty()) return false;
  const auto& parent = tree_.nodes[open_.back().index];
  return parent.kind == YamlNode::Kind::mapping && parent.children.size() % 2 == 0;
}

// The length of the null at a place; 0 if it is missing. The word may be a key, before which a value is missing.
std::size_t YamlBuilder::null_size(std::size_t at) const {
  for (const std::string_view word : {"~", "null", "Null", "NULL"}) {
    if (text_.compare(at, word.size(), word) != 0) continue;
    const auto end = at + word.size();
    const auto next = after_blanks(text_, end);
    const char after = char_at(text_, next);
    if (next == end && next < text_.size() && !is_break(after) && std::string_view(",]}:").find(after) == std::string_view::npos) return 0;
    return after == ':' && !is_key() ? 0 : word.size();
  }
  return 0;
}

// The place that people expect for a missing node: after its key and colon, or after the previous text. yaml-cpp names the next token.
std::size_t YamlBuilder::missing_at(std::size_t next) const {
  if (is_value()) {
    const auto colon = after_blanks(text_, last_end_);
    return char_at(text_, colon) == ':' ? colon + 1 : last_end_;
  }
  while (next > 0 && is_space(text_[next - 1])) --next;
  return next;
}

void YamlBuilder::start(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, bool is_flow) {
  if (open_.size() >= limits_.depth) {
    throw YamlLimit{{"nodes are nested more than " + std::to_string(limits_.depth) + " levels deep", to_mark(mark), true}};
  }
  open_.push_back({keep(make(kind, mark, tag), anchor), is_flow});
  flows_ += is_flow;
}

void YamlBuilder::end(char bracket) {
  const auto [index, is_flow] = open_.back();
  open_.pop_back();
  flows_ -= is_flow;
  auto& node = tree_.nodes[index];
  const auto inside = after_properties(text_, node.begin);
  node.end = node.children.empty() ? std::min(inside + is_flow, text_.size()) : std::max(node.begin, last_end_);
  // a single pair in a sequence has no brackets
  if (is_flow && (bracket == ']' || char_at(text_, inside) == '{')) {
    auto at = after_spaces(text_, node.end);
    if (char_at(text_, at) == ',') at = after_spaces(text_, at + 1);
    if (char_at(text_, at) == bracket) node.end = at + 1;
  }
  place(index);
}

std::uint32_t YamlBuilder::keep(YamlNode node, YAML::anchor_t anchor) {
  const auto index = static_cast<std::uint32_t>(tree_.nodes.size());
  tree_.nodes.push_back(std::move(node));
  if (anchor) {
    if (anchors_.size() < anchor) anchors_.resize(anchor);
    anchors_[anchor - 1] = index;
  }
  return index;
}

// Adds a complete node to its parent.
void YamlBuilder::place(std::uint32_t index) {
  last_end_ = tree_.nodes[index].end;
  if (open_.empty()) {
    tree_.documents.push_back(index);
    return;
  }
  auto& parent = tree_.nodes[open_.back().index];
  parent.weight += tree_.nodes[index].weight;
  parent.children.push_back(index);
}

}  // namespace lanner
