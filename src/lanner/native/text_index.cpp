#include "text_index.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

namespace lanner {
namespace {

// Fewer are looked at one by one as fast; and each operand whose texts are looked for is another that every event is read for
constexpr std::size_t fewest_rules = 8;
constexpr std::size_t most_operands = 8;
// Of all automata together: 32 MiB
constexpr std::size_t most_steps = std::size_t{1} << 23;

struct Literal {
  std::size_t operand = 0;
  bool folds = false;
  std::string text;

  auto key() const { return std::tie(operand, folds); }
  bool operator<(const Literal& other) const { return std::tie(operand, folds, text) < std::tie(other.operand, other.folds, other.text); }
};

using Needed = std::vector<Literal>;  // one of them stands in its operand's value, or the condition is false
using Place = std::pair<std::size_t, bool>;  // an operand, and whether case counts for nothing

std::size_t shortest(const Needed& needed) {
  return std::min_element(needed.begin(), needed.end(), [](const Literal& left, const Literal& right) { return left.text.size() < right.text.size(); })->text.size();
}

// Fewer texts, then longer ones, bring a rule up for less
bool is_better(const Needed& needed, const Needed& other) {
  return std::pair(needed.size(), shortest(other)) < std::pair(other.size(), shortest(needed));
}

class Needs {
 public:
  explicit Needs(const Program& program) : program_(program) {}

  const std::optional<Needed>& of(std::uint32_t node) {
    const auto found = known_.find(node);
    return found != known_.end() ? found->second : known_.emplace(node, made(program_.nodes[node])).first->second;
  }

 private:
  std::optional<Needed> made(const Node& node) {
    std::optional<Needed> result;
    if (node.kind == Node::Kind::check) return of_check(program_.checks[node.check]);
    if (node.kind == Node::Kind::negation || node.kind == Node::Kind::open) return result;
    for (auto place = node.begin; place < node.end; ++place) {
      const auto& child = of(program_.children[place]);
      if (node.kind == Node::Kind::all) {
        if (child && (!result || is_better(*child, *result))) result = child;
      } else if (!child) {
        return std::nullopt;
      } else {
        if (!result) result.emplace();
        result->insert(result->end(), child->begin(), child->end());
        if (result->size() > Predicate::most_literals) return std::nullopt;
      }
    }
    return result;
  }

  std::optional<Needed> of_check(const Check& check) const {
    const auto& type = program_.operands[check.left].type;
    if (!check.predicate || type.is_list || type.is != Type::Is::text) return std::nullopt;
    bool folds = false;
    const auto texts = check.predicate->literals(folds);
    if (texts.empty() || std::any_of(texts.begin(), texts.end(), [](const std::string& text) { return text.empty(); })) return std::nullopt;
    Needed needed;
    for (const auto& text : texts) needed.push_back({check.left, folds, text});
    return needed;
  }

  const Program& program_;
  std::map<std::uint32_t, std::optional<Needed>> known_;
};

// The places that enough rules need, at most so many, those of most rules first
std::vector<Place> chosen(const std::map<Place, std::size_t>& counts) {
  std::vector<std::pair<std::size_t, Place>> places;
  for (const auto& [place, count] : counts) {
    if (count >= fewest_rules) places.emplace_back(count, place);
  }
  std::sort(places.rbegin(), places.rend());
  places.resize(std::min(places.size(), most_operands));
  std::vector<Place> result;
  for (const auto& each : places) result.push_back(each.second);
  return result;
}

using Rules = std::map<std::string, std::vector<std::uint32_t>>;  // by text

// The rules of `always` whose texts are all at one of these places, and in `left` the others
std::map<Place, Rules> found_at(const std::vector<Place>& places, Needs& needs, const Program& program, std::vector<std::uint32_t>& left) {
  std::map<Place, Rules> rules;
  for (const auto& place : places) rules[place];
  for (const auto rule : program.always) {
    const auto& needed = needs.of(program.conditions[rule]);
    if (!needed || !std::all_of(needed->begin(), needed->end(), [&](const Literal& each) { return rules.contains({each.operand, each.folds}); })) {
      left.push_back(rule);
      continue;
    }
    for (const auto& literal : *needed) {
      auto& listed = rules[{literal.operand, literal.folds}][literal.text];
      if (listed.empty() || listed.back() != rule) listed.push_back(rule);
    }
  }
  return rules;
}

// Null where that took more than `most` steps
std::optional<TextIndex> make(const Place& place, const Rules& rules, std::size_t most) {
  TextIndex index;
  index.operand = place.first;
  std::vector<std::string> texts;
  for (const auto& [text, listed] : rules) {
    texts.push_back(text);
    index.all.insert(index.all.end(), listed.begin(), listed.end());
    index.rules.push_back(listed);
  }
  if (!index.literals.build(texts, place.second, most)) return std::nullopt;
  return index;
}

// The place that took too much, if there is one; then nothing is changed
std::optional<Place> index_at(const std::vector<Place>& places, Needs& needs, Program& program) {
  std::vector<std::uint32_t> left;
  std::vector<TextIndex> made;
  auto room = most_steps;
  for (const auto& [place, rules] : found_at(places, needs, program, left)) {
    if (rules.empty()) continue;
    auto index = make(place, rules, room);
    if (!index) return place;
    room -= index->literals.size();
    made.push_back(std::move(*index));
  }
  program.text_index = std::move(made);
  program.always = std::move(left);
  return std::nullopt;
}

}  // namespace

void index_texts(Program& program) {
  Needs needs(program);
  std::map<Place, std::size_t> counts;
  for (const auto rule : program.always) {
    const auto& needed = needs.of(program.conditions[rule]);
    for (const auto& literal : needed.value_or(Needed{})) ++counts[{literal.operand, literal.folds}];
  }
  // a rule whose texts are at several places is found at all of them or at none
  while (const auto too_much = index_at(chosen(counts), needs, program)) counts.erase(*too_much);
}

}  // namespace lanner
