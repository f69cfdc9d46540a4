// YAML of any bytes: it is read or refused, nodes are within the text, and the first document reads the same with others and without.
#include "fuzz.hpp"
#include "yaml/tree.hpp"

std::vector<std::string> seeds() {
  return {
      "- rule: r\n  desc: >\n    two\n    lines\n  condition: a.b = \"c\" and not d\n  output: 'it''s %x'\n  tags: [t, \"u\", {v: w}]\n",
      "a: &x [1, *x2, ::1, a:]\n? b\n: *x\n---\n!!str c\n...\n%YAML 1.3\n---\n- |+2\n    kept\n\n- ~\n-\n- null\n",
      "\"a\\x41\\\n b\": 'c'\nd:\n\t\n  plain\n  over lines # comment\n\r\n, e: f\n\"g\" h\n",
      "- a\r- b: c\r  d: 'e\rf'\r",
  };
}

std::vector<std::string> words() {
  return {"- ",   ": ",    "? ", "[",    "]",    "{",     "}",      ", ",    "\n,",   "&a ",        "*a",
          "!t ",  "!<t> ", "\"", "'",    "|\n",  ">-\n",  "# c\n",  "---\n", "...\n", "%TAG ! x\n", "~",
          "null", "\t",    "\r", "\r\n", "\n  ", "\\u12", "<<: *a", "\" b",  "\x04",  "\xC2\x85"};
}

void try_input(std::string_view input) {
  const lanner::YamlLimits limits{64, 10'000, false};
  // exactly its size, so that a step beyond it is seen
  const std::vector<char> copy(input.begin(), input.end());
  const std::string_view text(copy.data(), copy.size());
  const auto tree = lanner::read_yaml(text, limits);
  REQUIRE(!tree.error || !tree.error->message.empty());
  for (const auto& node : tree.nodes) {
    REQUIRE(node.begin <= node.end && node.end <= text.size() && node.mark.offset <= text.size());
    REQUIRE(node.kind != lanner::YamlNode::Kind::mapping || tree.error || node.children.size() % 2 == 0);
    for (const auto child : node.children) REQUIRE(child < tree.nodes.size());
  }
  const auto first = lanner::read_yaml(text, {64, 10'000, true});
  if (!tree.error && !tree.documents.empty()) {
    REQUIRE(!first.error && first.documents.size() == 1);
    REQUIRE(first.nodes[first.documents[0]].end == tree.nodes[tree.documents[0]].end);
  }
}
