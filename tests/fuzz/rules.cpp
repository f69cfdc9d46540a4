// Rules with all operators, transformers and sources on any bytes. A condition and its negation are never both true, and the first match
// is the first of all matches. The address of a payload and the use of an index do not change the result. What is kept of an event stays,
// and a second run gives the same result without new memory.
//
// The first byte of an input selects how the payload is made (as in fields.cpp). The second byte is the length of the text that the
// conditions compare with. The rest is the payload.
#include <memory>
#include <stdexcept>

#include "fuzz.hpp"
#include "maker.hpp"
#include "rules/machine.hpp"
#include "rules/transforms.hpp"
#include "rules/value_index.hpp"

// Of the sanitizers' runtime; gcc comes without its header
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                                         void (*on_free)(const volatile void*));

namespace {

std::size_t taken;  // pieces of memory
const int hooked =
    __sanitizer_install_malloc_and_free_hooks([](const volatile void*, std::size_t) { ++taken; }, [](const volatile void*) {});

using lanner::Check;
using lanner::Comparison;
using lanner::Constant;
using lanner::EventInfo;
using lanner::Hit;
using lanner::KeptValues;
using lanner::Machine;
using lanner::Modifier;
using lanner::Node;
using lanner::Operand;
using lanner::Program;
using lanner::Source;
using lanner::Type;
using lanner::Value;

constexpr Type text{};
constexpr Type texts{Type::Is::text, true, false, false};
constexpr Type number{Type::Is::number, false, false, false};

class Making {
 public:
  explicit Making(std::string_view constant, bool has_value_index) : constant_{std::string(constant), 0, true, -1} {
    const auto path = [this](std::vector<lanner::Step> steps) {
      return lanner::make_path(std::move(steps), false, program_->table.places);
    };
    Value integer;
    integer.kind = Value::Kind::word;
    integer.word = lanner::word_of("time");
    integer.type = integer.word->gives;
    integer.children = {path({"n"})};
    program_->table.trees = {path({"a"}), path({"m", lanner::Argument{}}), integer, lanner::make_keys(path({"m"})), integer};
    program_->table.trees.back().number = 1'000;
    program_->reads_payload = program_->has_time = true;
    const auto a = slot(json(0), text), k = slot(json(1, "k"), text), n = slot(json(2), number), keys = slot(json(3), texts);
    const auto python = slot(source(Source::Kind::python), text);
    const auto clock = slot(source(Source::Kind::clock), text), elapsed = slot(source(Source::Kind::elapsed), number);
    const auto fixed = operand(Operand::Kind::text, {}, text);
    program_->operands.back().text = constant;
    const Type closed{Type::Is::text, false, true, false}, decoded{Type::Is::text, false, true, true};
    const auto lower = operand("tolower", {a}, closed), base = operand("basename", {k}, closed);
    const auto bytes = operand("b64", {a}, decoded), uppers = operand("toupper", {keys}, {Type::Is::text, true, true, false});
    const auto length = operand("len", {k}, number), count = operand("len", {keys}, number);
    const auto items = operand("items", {a, keys, operand("decimal", {n}, text)}, texts);
    const auto joined = operand("join", {fixed, items}, text), both = operand("concat", {a, lower, python}, text);
    const auto options = operand("getopt", {items, fixed}, texts);
    for (const auto each : {a, k, lower, base, bytes, joined, both, clock}) {
      for (const auto word : lanner::operator_names()) {
        constant_check(each, word);
      }
      constant_check(each, "endswith", Modifier::oneof);
      fields_check(each, "icontains", a);
      fields_check(each, "<", joined);
      fields_check(each, "glob", k);
      fields_check(each, "in", items);
    }
    for (std::size_t begin = 0; begin < constant.size(); ++begin) {
      for (const auto word : {"contains", "icontains", "endswith"}) constant_check(a, word, Modifier::none, constant.substr(begin));
    }
    for (const auto each : {keys, uppers, items, options}) {
      constant_check(each, "in");
      constant_check(each, "intersects");
      fields_check(each, "intersects", keys);
      exists(each);
    }
    fields_check(length, "<=", count);
    fields_check(n, ">", elapsed);
    for (const auto word : {"=", "in", ">="}) number_check(n, word, 1);
    for (const auto each : {0U, static_cast<std::uint32_t>(program_->conditions.size() - 2)}) negation_of(program_->conditions[each] + 1);
    program_->groups.resize(2);
    auto& always = program_->groups[0].rules;
    auto& indexed = program_->groups[1].rules;
    // each check together with the first, which is that `a` is the constant: found by that, and by what else it needs
    const auto checks = static_cast<std::uint32_t>(program_->conditions.size());
    for (std::uint32_t rule = 0; rule < checks; ++rule) always.push_back(rule);
    for (std::uint32_t rule = 2; rule < checks; rule += 2) {
      indexed.push_back(static_cast<std::uint32_t>(program_->conditions.size()));
      both_of(program_->conditions[0], program_->conditions[rule]);
      always.push_back(indexed.back() + 1);
    }
    indexed.push_back(static_cast<std::uint32_t>(program_->conditions.size()));
    exists(n);
    always.push_back(indexed.back() + 1);
    program_->index.resize(1);
    program_->index[0].slot = program_->operands[a].slot;
    program_->index[0].texts[std::string(constant)] = 1;
    std::vector<std::uint32_t> wanted;
    for (std::uint32_t each = 0; each < program_->operands.size(); ++each) {
      if (each != python && each != both) wanted.push_back(each);
    }
    program_->wanted.assign(program_->conditions.size(), wanted);
    program_->wanted[0] = {static_cast<std::uint32_t>(both)};
    if (has_value_index) lanner::index_values(*program_);
  }

  std::unique_ptr<Program> program() { return std::move(program_); }

 private:
  static Source source(Source::Kind kind) {
    Source result;
    result.kind = kind;
    return result;
  }

  static Source json(std::size_t tree, const char* argument = nullptr) {
    auto result = source(Source::Kind::json);
    result.tree = tree;
    result.has_argument = argument != nullptr;
    if (argument) result.text = argument;
    return result;
  }

  std::size_t slot(Source from, Type type) {
    program_->slots.push_back(std::move(from));
    const auto made = operand(Operand::Kind::slot, {}, type);
    program_->operands.back().slot = program_->slots.size() - 1;
    return made;
  }

  std::size_t operand(Operand::Kind kind, std::vector<std::size_t> operands, Type type) {
    Operand made;
    made.kind = kind;
    made.type = type;
    made.operands = std::move(operands);
    program_->operands.push_back(std::move(made));
    return program_->operands.size() - 1;
  }

  std::size_t operand(const char* transformer, std::vector<std::size_t> operands, Type type) {
    const auto made = operand(Operand::Kind::made, std::move(operands), type);
    program_->operands.back().transformer = lanner::transformer_of(transformer);
    return made;
  }

  void rules(Check check) {
    program_->checks.push_back(std::move(check));
    Node node;
    node.check = static_cast<std::uint32_t>(program_->checks.size() - 1);
    rules(node);
  }

  void both_of(std::uint32_t one, std::uint32_t other) {
    Node node;
    node.kind = Node::Kind::all;
    node.begin = static_cast<std::uint32_t>(program_->children.size());
    node.end = node.begin + 2;
    program_->children.insert(program_->children.end(), {one, other});
    rules(node);
  }

  // The condition and its negation, a rule each
  void rules(const Node& node) {
    program_->nodes.push_back(node);
    const auto plain = static_cast<std::uint32_t>(program_->nodes.size() - 1);
    program_->conditions.push_back(plain);
    program_->nodes.push_back(negated(plain));
    program_->conditions.push_back(plain + 1);
  }

  Node negated(std::uint32_t node) {
    Node negation;
    negation.kind = Node::Kind::negation;
    negation.begin = static_cast<std::uint32_t>(program_->children.size());
    negation.end = negation.begin + 1;
    program_->children.push_back(node);
    return negation;
  }

  void negation_of(std::uint32_t node) { rules(negated(node)); }

  void number_check(std::size_t left, std::string_view word, std::uint64_t constant) {
    Check check;
    check.left = left;
    check.predicate =
        lanner::make_predicate(*lanner::operator_of(word), {{{}, constant, false, -1}}, Modifier::none, program_->operands[left].type);
    rules(std::move(check));
  }

  void constant_check(std::size_t left, std::string_view word, Modifier modifier = Modifier::none) {
    constant_check(left, word, modifier, constant_.text);
  }

  void constant_check(std::size_t left, std::string_view word, Modifier modifier, std::string_view constant) {
    Check check;
    check.left = left;
    check.predicate =
        lanner::make_predicate(*lanner::operator_of(word), {{std::string(constant), 0, true, -1}}, modifier, program_->operands[left].type);
    rules(std::move(check));
  }

  void fields_check(std::size_t left, std::string_view word, std::size_t right) {
    const auto& type = program_->operands[left].type;
    Check check;
    check.left = left;
    check.right = right;
    check.compare = {*lanner::operator_of(word), type.is_list, type.is == Type::Is::text, type.is_terminated,
                     program_->operands[right].type.is_terminated};
    rules(std::move(check));
  }

  void exists(std::size_t left) {
    Check check;
    check.left = left;
    check.is_existence = true;
    rules(std::move(check));
  }

  const Constant constant_;
  std::unique_ptr<Program> program_ = std::make_unique<Program>();
};

struct Round {
  std::vector<Hit> hits;
  KeptValues kept;

  void run(Machine& machine, std::string_view payload, bool is_padded) {
    hits.clear();
    kept.clear();
    EventInfo info;
    machine.load(payload, is_padded);
    info.place = 1;
    info.has_time = machine.own_time(info.time);
    info.has_first = info.has_time;
    machine.match(info, 0, hits, kept);
  }
};

bool is_same(const Hit& left, const Hit& right) {
  return left.rule == right.rule && left.is_open == right.is_open && left.has_time == right.has_time && left.time == right.time &&
         left.has_values == right.has_values;
}

void require_same(const Round& left, const Round& right) {
  REQUIRE(left.hits.size() == right.hits.size());
  for (std::size_t place = 0; place < left.hits.size(); ++place) REQUIRE(is_same(left.hits[place], right.hits[place]));
  REQUIRE(left.kept.size() == right.kept.size());
  for (std::size_t place = 0; place < left.kept.size(); ++place) {
    const auto &one = left.kept.at(place), &other = right.kept.at(place);
    REQUIRE(one.kind == other.kind);
    const bool is_text = one.kind == KeptValues::Kind::text || one.kind == KeptValues::Kind::address;
    REQUIRE(is_text ? left.kept.text(one) == right.kept.text(other) : one.number == other.number);
  }
}

// Of a condition and the negation of it, rules 2k and 2k + 1, one holds, unless both are open. `spared` were not evaluated.
void require_opposites(const std::vector<Hit>& hits, std::size_t conditions, std::size_t spared) {
  std::vector<int> holds(conditions), open(conditions);
  for (const auto& hit : hits) (hit.is_open ? open : holds)[hit.rule]++;
  for (std::size_t rule = 0; rule < conditions; rule += 2) {
    REQUIRE(open[rule] == open[rule + 1]);
    if (rule != spared) REQUIRE(holds[rule] + holds[rule + 1] + open[rule] == 1);
  }
}

}  // namespace

std::vector<std::string> seeds() {
  return {
      std::string("\x01\x01") + "x{\"a\":\"x:c\",\"n\":1700000000123,\"m\":{\"k\":\"v/x\",\"d\":1}}",
      std::string("\x01\x03") + "a.*{\"a\":\"aXb\",\"m\":{\"k\":\"axb\",\"aXb\":0}}",
      std::string("\x01\x04") + "YQ=={\"a\":\"YQ==\",\"n\":-0,\"m\":{\"k\":\"/a/b\"}}",
      std::string("\x02\x03") + "/a*{\"a\":\"/ab/c\",\"n\":\"12\",\"m\":{\"-c\":0,\"k\":\"x\"}}",
      std::string("\x81\x02") + "xy\x05\x06\x05\x02\x03\x04\x05\x06\x07\x01\x02\x03\x04\x05",
      std::string("\x80\x00", 2) + std::string(200, '\x06'),
      std::string("\x01\x02") + "c:{\"n\":1",
  };
}

std::vector<std::string> words() {
  return {"\"a\":",  "\"n\":", "\"m\":{\"k\":", "\"-c\":", "{",        "}",   "[",  "]", ",",  "\"",
          "*",       "?",      "[a-z]",         "\\",      "(",        "|",   ".*", "/", "//", "..",
          "\\u0000", "YWI=",   "\"YWI=\"",      "-0",      "\xC3\xA9", "\xFF"};
}

void try_input(std::string_view input) {
  REQUIRE(hooked);
  if (input.size() < 2) return;
  const bool is_made = static_cast<unsigned char>(input[0]) >= 128;
  const bool is_padded = input[0] & 1;
  const auto rest = input.substr(2);
  const auto length = std::min<std::size_t>(static_cast<unsigned char>(input[1]) % 24, rest.size());
  // a constant of the language has no NUL
  const auto constant = lanner::c_text(rest.substr(0, length));
  std::unique_ptr<Program> program, plain;
  try {
    program = Making(constant, true).program();
    plain = Making(constant, false).program();
  } catch (const std::runtime_error&) {
    return;  // no pattern
  }
  const auto payload_text = is_made ? Maker(rest.substr(length)).text() : std::string(rest.substr(length));
  // separate memory, with room behind it or none, so that a read beyond that is seen
  const auto memory = std::make_unique<char[]>(payload_text.size() + (is_padded ? lanner::Document::padding : 0));
  payload_text.copy(memory.get(), payload_text.size());
  const std::string_view payload(memory.get(), payload_text.size());

  Machine all(*program, false), only(*program, true), copying(*plain, false);
  Round first, again, other;
  first.run(all, payload, is_padded);
  require_opposites(first.hits, program->conditions.size(), program->conditions.size() - 2);
  again.run(all, payload, is_padded);
  const auto before = taken;
  again.run(all, payload, is_padded);
  const auto new_pieces = taken - before;
  // simdjson takes memory for a number that is all there is, and a payload that is not UTF-8 is copied
  if (all.load(payload, is_padded) && payload.starts_with('{') && !all.has_invalid_utf8()) REQUIRE(new_pieces == 0);
  require_same(first, again);
  other.run(copying, payload_text, false);
  require_same(first, other);
  other.run(only, payload, is_padded);
  for (std::size_t place = 0; place < other.hits.size(); ++place) {
    REQUIRE(is_same(other.hits[place], first.hits[place]));
    REQUIRE(other.hits[place].is_open == (place + 1 < other.hits.size()) || place + 1 == first.hits.size());
  }
}
