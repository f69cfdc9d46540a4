// Converts yaml-cpp's events to nodes.
#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include "yaml/tree.hpp"

namespace lanner {

// Thrown through yaml-cpp's parser, and caught by its caller.
struct YamlLimit {
  YamlError error;
};

struct YamlSpan {
  std::size_t begin, end;
};

inline YamlMark to_mark(const YAML::Mark& mark) {
  const auto size = [](int number) { return number < 0 ? std::size_t{0} : static_cast<std::size_t>(number); };
  return {size(mark.pos), size(mark.line), size(mark.column)};
}

class YamlBuilder final : public YAML::EventHandler {
 public:
  YamlBuilder(std::string_view text, const YamlLimits& limits, YamlTree& tree) : text_(text), limits_(limits), tree_(tree) {}

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { end(']'); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { end('}'); }

  // Quoted scalars, outside and inside brackets, and unquoted ones that are a document
  std::vector<YamlSpan> quoted, quoted_in_flow, plain_roots;

 private:
  struct OpenNode {
    std::uint32_t index;
    bool is_flow;
  };

  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag) const;
  bool is_value() const;
  bool is_key() const;
  std::size_t null_size(std::size_t at) const;
  std::size_t missing_at(std::size_t next) const;
  void start(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, bool is_flow);
  void end(char bracket);
  std::uint32_t keep(YamlNode node, YAML::anchor_t anchor);
  void place(std::uint32_t index);

  std::string_view text_;
  const YamlLimits limits_;
  YamlTree& tree_;
  std::vector<OpenNode> open_;
  std::size_t flows_ = 0;     // number of open collections in brackets
  std::size_t last_end_ = 0;  // of the node that was added last
  std::size_t aliased_ = 0;
  std::vector<std::uint32_t> anchors_;
};

}  // namespace lanner
