#include "rules/value_index.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

namespace lanner {
namespace {

// Fewer rules of a group, and of an operand, are as fast to evaluate one by one: each operand must be read for every event
constexpr std::size_t fewest_rules = 8;
constexpr std::size_t fewest_of_operand = 3;
constexpr std::size_t most_operands = 8;
// For all automata together: 32 MiB
constexpr std::size_t most_steps = std::size_t{1} << 23;
// Number of strings considered for all groups together: limits the time, and the lists of rules to 16 MiB
constexpr std::size_t most_looks = std::size_t{1} << 21;
// Number of automata that were too large, in all groups together
constexpr std::size_t most_failures = 16;
// Of several requirements of a condition, the rarest are used; rules with a common requirement are counted up to a number
constexpr std::size_t most_options = 4;
constexpr std::uint64_t most_counted = std::uint64_t{1} << 32;

// The way in which an operand's value is compared
enum class Sort : std::uint8_t { text, folded_text, number, any };
using Place = std::pair<std::size_t, Sort>;  // an operand, and what is asked of it

// A property of an operand's value: that it contains a string, is a number, or exists
struct Trait {
  Place place;
  std::string text;
  std::uint64_t number = 0;

  bool operator<(const Trait& other) const { return std::tie(place, text, number) < std::tie(other.place, other.text, other.number); }
};

using Alternatives = std::vector<std::uint32_t>;  // numbers of traits: an operand's value has one of them, or the condition is false
using Options = std::vector<Alternatives>;        // each of them is required, and any one suffices to find the rule

// The requirements of conditions, with traits by number
class Needs {
 public:
  explicit Needs(const Program& program) : program_(program), known_(program.nodes.size()), negated_(program.nodes.size()) {
    std::vector<std::uint64_t> rules(program.nodes.size()), against(program.nodes.size());  // that need the node true, or false
    for (const auto node : program.conditions) ++rules[node];
    for (auto number = program.nodes.size(); number-- > 0;) {  // children come before their parents
      const auto& node = program.nodes[number];
      if (node.kind == Node::Kind::check) add_check(number, rules[number]);
      const bool turns = node.kind == Node::Kind::negation;
      for (auto place = node.begin; place < node.end; ++place) {
        const auto child = program.children[place];
        rules[child] = std::min(rules[child] + (turns ? against : rules)[number], most_counted);
        against[child] = std::min(against[child] + (turns ? rules : against)[number], most_counted);
      }
    }
    for (std::size_t number = 0; number < program.nodes.size(); ++number) combine(number);
  }

  const Options& of(std::uint32_t node) const { return known_[node]; }
  const Trait& trait(std::uint32_t number) const { return *traits_[number]; }
  std::size_t size() const { return traits_.size(); }

  // The cost of finding one of `total` rules by these: the number of rules that each finds. It is higher for a string that is short enough
  // to occur in many values by chance, and if any value is enough. It is also higher if most rules need the same value: then most events
  // have it
  template <typename Counts>
  std::uint64_t cost(const Alternatives& needed, const Counts& counts, std::size_t total) const {
    std::uint64_t sum = 0;
    for (const auto number : needed) {
      const auto& trait = *traits_[number];
      const auto size = trait.text.size();
      std::uint64_t weight = size == 1 ? 16 : size == 2 ? 4 : 1;
      if (trait.place.second == Sort::any) weight = 48;
      else if (counts[number] > total / 2) weight = 64;
      sum += counts[number] * weight;
    }
    return sum;
  }

 private:
  void add_check(std::size_t node, std::uint64_t rules) {
    const auto& check = program_.checks[program_.nodes[node].check];
    Alternatives needed;
    const auto add = [&](Trait trait) {
      const auto [found, is_new] = numbers_.try_emplace(std::move(trait), static_cast<std::uint32_t>(traits_.size()));
      if (is_new) {
        traits_.push_back(&found->first);
        rules_.push_back(0);
      }
      rules_[found->second] = std::min(rules_[found->second] + rules, most_counted);
      needed.push_back(found->second);
    };
    const auto& type = program_.operands[check.left].type;
    if (check.predicate && (type.is == Type::Is::text || type.is == Type::Is::address)) {
      bool folds = false;
      auto texts = check.predicate->literals(folds);
      const bool is_known = std::none_of(texts.begin(), texts.end(), [](const std::string& text) { return text.empty(); });
      if (is_known) {
        for (auto& text : texts) add({{check.left, folds ? Sort::folded_text : Sort::text}, std::move(text)});
      }
    } else if (check.predicate && !type.is_list && (type.is == Type::Is::number || type.is == Type::Is::boolean)) {
      for (const auto number : check.predicate->numbers()) add({{check.left, Sort::number}, {}, number});
    }
    if (needed.empty()) add({{check.left, Sort::any}, {}});
    known_[node] = {needed};
  }

  void combine(std::size_t number) {
    const auto& node = program_.nodes[number];
    switch (node.kind) {
      case Node::Kind::negation:
        known_[number] = negated_[program_.children[node.begin]];
        negated_[number] = known_[program_.children[node.begin]];
        break;
      case Node::Kind::all:
        all_of(node, known_, number);
        one_of(node, negated_, number);
        break;
      case Node::Kind::some:
        one_of(node, known_, number);
        all_of(node, negated_, number);
        break;
      default:  // a false check requires nothing: the value may be missing
        break;
    }
  }

  void all_of(const Node& node, std::vector<Options>& known, std::size_t number) const {
    auto& options = known[number];
    for (auto place = node.begin; place < node.end; ++place) {
      const auto& child = known[program_.children[place]];
      options.insert(options.end(), child.begin(), child.end());
      if (options.size() > most_options) keep_best(options);
    }
    keep_best(options);
  }

  void one_of(const Node& node, std::vector<Options>& known, std::size_t number) const {
    Alternatives any;
    for (auto place = node.begin; place < node.end; ++place) {
      const auto& child = known[program_.children[place]];
      if (child.empty() || any.size() + child.front().size() > Predicate::most_literals) return;
      any.insert(any.end(), child.front().begin(), child.front().end());
    }
    std::sort(any.begin(), any.end());
    any.erase(std::unique(any.begin(), any.end()), any.end());
    if (!any.empty()) known[number].push_back(std::move(any));
  }

  // The cheapest come first
  void keep_best(Options& options) const {
    const auto total = program_.conditions.size();
    std::stable_sort(options.begin(), options.end(), [&](const Alternatives& left, const Alternatives& right) {
      return cost(left, rules_, total) < cost(right, rules_, total);
    });
    if (options.size() > most_options) options.resize(most_options);
  }

  const Program& program_;
  std::map<Trait, std::uint32_t> numbers_;
  std::vector<const Trait*> traits_;
  std::vector<std::uint64_t> rules_;  // by trait: the number of rules that may need it
  std::vector<Options> known_;        // by node, if it is true
  std::vector<Options> negated_;      // by node, if it is false
};

using Rules = std::map<std::uint32_t, std::vector<std::uint32_t>>;  // by trait

// Indexes one group after another, within the limits
class ValueIndexer {
 public:
  explicit ValueIndexer(Program& program) : program_(program), needs_(program), counts_(needs_.size()) {}

  // `slot`: the field for which all rules of the group need the same value
  void index(Group& group, std::optional<std::size_t> slot) {
    if (group.rules.size() < fewest_rules || failures_ == most_failures) return;
    std::vector<std::vector<const Alternatives*>> options;
    std::vector<std::uint32_t> counted;
    auto looks = looks_;
    for (const auto rule : group.rules) {
      auto& usable = options.emplace_back();
      for (const auto& needed : needs_.of(program_.conditions[rule])) {
        if (needed.size() > looks) return clear(counted);
        looks -= needed.size();
        if (slot && std::any_of(needed.begin(), needed.end(), [&](std::uint32_t trait) { return is_of(trait, *slot); })) continue;
        usable.push_back(&needed);
        for (const auto trait : needed) {
          ++counts_[trait];
          counted.push_back(trait);
        }
      }
    }
    looks_ = looks;
    const auto total = group.rules.size();
    for (auto& usable : options) {
      std::stable_sort(usable.begin(), usable.end(), [&](const auto* left, const auto* right) {
        return needs_.cost(*left, counts_, total) < needs_.cost(*right, counts_, total);
      });
    }
    clear(counted);
    std::map<Place, std::size_t> wanted;
    for (const auto& usable : options) {
      if (usable.empty()) continue;
      for (const auto trait : *usable.front()) ++wanted[needs_.trait(trait).place];
    }
    // a rule with strings at several places is indexed at all of them or at none
    while (const auto too_much = index_at(chosen(wanted), options, group)) {
      if (++failures_ == most_failures) return;
      wanted.erase(*too_much);
    }
  }

 private:
  bool is_of(std::uint32_t trait, std::size_t slot) const {
    const auto& operand = program_.operands[needs_.trait(trait).place.first];
    return operand.kind == Operand::Kind::slot && operand.slot == slot;
  }

  void clear(const std::vector<std::uint32_t>& counted) {
    for (const auto trait : counted) counts_[trait] = 0;
  }

  // The places that enough rules need, limited in number, those of most rules first
  static std::vector<Place> chosen(const std::map<Place, std::size_t>& wanted) {
    std::vector<std::pair<std::size_t, Place>> places;
    for (const auto& [place, count] : wanted) {
      if (count >= fewest_of_operand) places.emplace_back(count, place);
    }
    std::sort(places.rbegin(), places.rend());
    places.resize(std::min(places.size(), most_operands));
    std::vector<Place> result;
    result.reserve(places.size());
    for (const auto& each : places) result.push_back(each.second);
    return result;
  }

  // The place that exceeded the limit, if any; then nothing is changed
  std::optional<Place> index_at(const std::vector<Place>& places, const std::vector<std::vector<const Alternatives*>>& options,
                                Group& group) {
    std::map<Place, Rules> found;
    for (const auto& place : places) found[place];
    const auto is_found = [&](std::uint32_t trait) { return found.contains(needs_.trait(trait).place); };
    Group made;
    for (std::size_t at = 0; at < group.rules.size(); ++at) {
      const auto needed = std::find_if(options[at].begin(), options[at].end(),
                                       [&](const auto* each) { return std::all_of(each->begin(), each->end(), is_found); });
      if (needed == options[at].end()) {
        made.rules.push_back(group.rules[at]);
        continue;
      }
      for (const auto trait : **needed) found[needs_.trait(trait).place][trait].push_back(group.rules[at]);
    }
    auto room = steps_;
    for (const auto& [place, rules] : found) {
      if (rules.empty()) continue;
      auto index = make(place, rules, room);
      if (!index) return place;
      room -= index->literals.size();
      made.values.push_back(std::move(*index));
    }
    steps_ = room;
    group = std::move(made);
    return std::nullopt;
  }

  // Null if that needs more than `most` steps
  std::optional<ValueIndex> make(const Place& place, const Rules& rules, std::size_t most) const {
    ValueIndex index;
    index.operand = place.first;
    std::vector<std::string> texts;
    for (const auto& [number, listed] : rules) {
      const auto& trait = needs_.trait(number);
      index.all.insert(index.all.end(), listed.begin(), listed.end());
      if (place.second == Sort::any) {
        index.present = listed;
      } else if (place.second == Sort::number) {
        index.numbers[trait.number] = listed;
      } else {
        texts.push_back(trait.text);
        index.rules.push_back(listed);
      }
    }
    if (!texts.empty() && !index.literals.build(texts, place.second == Sort::folded_text, most)) return std::nullopt;
    return index;
  }

  Program& program_;
  const Needs needs_;
  std::vector<std::uint64_t> counts_;  // by trait: the rules of the group that it may find
  std::size_t steps_ = most_steps;
  std::size_t looks_ = most_looks;
  std::size_t failures_ = 0;
};

}  // namespace

void index_values(Program& program) {
  ValueIndexer indexing(program);
  indexing.index(program.groups.front(), std::nullopt);
  std::map<std::uint32_t, std::size_t> slots;  // by group
  for (const auto& field : program.index) {
    for (const auto& [value, group] : field.texts) slots[group] = field.slot;
    for (const auto& [value, group] : field.numbers) slots[group] = field.slot;
  }
  // the largest groups benefit most from limited memory
  std::vector<std::pair<std::size_t, std::uint32_t>> order;
  order.reserve(slots.size());
  for (const auto& [group, slot] : slots) order.emplace_back(program.groups[group].rules.size(), group);
  std::sort(order.begin(), order.end(),
            [](const auto& left, const auto& right) { return std::pair(right.first, left.second) < std::pair(left.first, right.second); });
  for (const auto& [size, group] : order) indexing.index(program.groups[group], slots[group]);
}

}  // namespace lanner
