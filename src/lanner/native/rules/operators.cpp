#include "rules/operators.hpp"

#include <fnmatch.h>
#include <re2/re2.h>
#include <string.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "rules/paths.hpp"
#include "rules/program.hpp"
#include "rules/required_text.hpp"

namespace lanner {

enum class Operator : std::uint8_t {
  equal,
  unequal,
  in,
  intersects,
  less,
  less_equal,
  greater,
  greater_equal,
  contains,
  icontains,
  startswith,
  endswith,
  glob,
  iglob,
  pmatch,
  regex
};

namespace {

// In the spelling of lanner.rules.language.vocabulary
constexpr std::pair<std::string_view, Operator> spellings[] = {
    {"=", Operator::equal},
    {"!=", Operator::unequal},
    {"in", Operator::in},
    {"intersects", Operator::intersects},
    {"<", Operator::less},
    {"<=", Operator::less_equal},
    {">", Operator::greater},
    {">=", Operator::greater_equal},
    {"contains", Operator::contains},
    {"icontains", Operator::icontains},
    {"startswith", Operator::startswith},
    {"endswith", Operator::endswith},
    {"glob", Operator::glob},
    {"iglob", Operator::iglob},
    {"pmatch", Operator::pmatch},
    {"regex", Operator::regex},
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

// Whether `needle` occurs in the text, ignoring case
bool contains_folded(std::string_view text, std::string_view needle) {
  if (needle.empty()) return true;
  if (text.size() < needle.size()) return false;
  const char first = lower(needle[0]);
  const char* const last = text.data() + (text.size() - needle.size());
  for (const char* at = text.data(); at <= last; ++at) {
    if (lower(*at) != first) continue;
    std::size_t place = 1;
    while (place < needle.size() && lower(at[place]) == lower(needle[place])) ++place;
    if (place == needle.size()) return true;
  }
  return false;
}

bool contains(std::string_view text, std::string_view needle) {
  if (needle.size() > text.size()) return false;
  // memmem prepares tables, which costs more than a search in a short text
  if (text.size() <= 128) {
    if (needle.empty()) return true;
    const char* at = text.data();
    const char* const last = at + (text.size() - needle.size());
    while (at <= last) {
      at = static_cast<const char*>(memchr(at, needle[0], static_cast<std::size_t>(last - at) + 1));
      if (!at) return false;
      if (memcmp(at, needle.data(), needle.size()) == 0) return true;
      ++at;
    }
    return false;
  }
  return needle.empty() || memmem(text.data(), text.size(), needle.data(), needle.size()) != nullptr;
}

// The caller has set the C locale for the thread
bool globs(const char* pattern, std::string_view text, bool folds, TextBuffers& scratch) {
  scratch.text.assign(c_text(text));
  return fnmatch(pattern, scratch.text.c_str(), folds ? FNM_CASEFOLD : 0) == 0;
}

template <typename T>
bool ordered(Operator word, const T& left, const T& right) {
  switch (word) {
    case Operator::less:
      return left < right;
    case Operator::less_equal:
      return left <= right;
    case Operator::greater:
      return left > right;
    case Operator::greater_equal:
      return left >= right;
    case Operator::unequal:
      return left != right;
    default:
      return left == right;
  }
}

bool compare_texts(Operator word, std::string_view left, std::string_view right, TextBuffers& scratch) {
  switch (word) {
    case Operator::contains:
      return contains(left, right);
    case Operator::icontains:
      return contains_folded(left, right);
    case Operator::startswith:
      return left.starts_with(right);
    case Operator::endswith:
      return left.ends_with(right);
    case Operator::glob:
    case Operator::iglob:
      scratch.pattern.assign(right);
      return globs(scratch.pattern.c_str(), left, word == Operator::iglob, scratch);
    default:
      return ordered(word, left, right);
  }
}

// Constants as a set; a small one is searched linearly
class Members {
 public:
  explicit Members(const std::vector<Constant>& constants) {
    for (const auto& constant : constants) {
      if (constant.bits >= 0) continue;
      if (constant.is_text) {
        if (texts_.insert(constant.text).second) few_.push_back(constant.text);
      } else {
        numbers_.insert(constant.number);
      }
    }
  }
  bool have(const Scalar& value) const {
    if (!value.is_text) return numbers_.contains(value.number);
    if (few_.size() > most_) return texts_.contains(value.text);
    return std::find(few_.begin(), few_.end(), value.text) != few_.end();
  }
  // None if they are many
  std::vector<std::string> texts() const { return few_.size() <= Predicate::most_literals ? few_ : std::vector<std::string>{}; }
  std::vector<std::uint64_t> numbers() const {
    if (numbers_.size() > Predicate::most_literals) return {};
    return {numbers_.begin(), numbers_.end()};
  }

 private:
  static constexpr std::size_t most_ = 6;
  std::unordered_set<std::string, TextHash, std::equal_to<>> texts_;
  std::vector<std::string> few_;
  std::unordered_set<std::uint64_t> numbers_;
};

// The relevant part of a string: `cut` ends at the first NUL, `whole` removes trailing ones
enum class Reach { all, cut, whole };

std::string_view reach(Reach how, std::string_view text) {
  return how == Reach::all ? text : how == Reach::cut ? c_text(text) : stripped(text);
}

class Member : public Predicate {
 public:
  Member(const std::vector<Constant>& constants, Reach how, bool wanted) : members_(constants), how_(how), wanted_(wanted) {}
  bool holds(const Cell& value, TextBuffers&) const override {
    if (value.state != Cell::State::scalar) return !wanted_;
    auto scalar = value.scalar;
    if (scalar.is_text) scalar.text = reach(how_, scalar.text);
    return members_.have(scalar) == wanted_;
  }
  std::vector<std::string> literals(bool&) const override { return wanted_ ? members_.texts() : std::vector<std::string>{}; }
  std::vector<std::uint64_t> numbers() const override { return wanted_ ? members_.numbers() : std::vector<std::uint64_t>{}; }

 private:
  const Members members_;
  const Reach how_;
  const bool wanted_;
};

class ListMembers : public Predicate {
 public:
  ListMembers(const std::vector<Constant>& constants, bool every) : members_(constants), every_(every) {}
  bool holds(const Cell& value, TextBuffers&) const override {
    const auto has = [&](const Scalar& each) { return members_.have(each); };
    return every_ ? std::all_of(value.list.begin(), value.list.end(), has) : std::any_of(value.list.begin(), value.list.end(), has);
  }
  // Every set contains all items of an empty list
  std::vector<std::string> literals(bool&) const override { return every_ ? std::vector<std::string>{} : members_.texts(); }

 private:
  const Members members_;
  const bool every_;
};

class Networks : public Predicate {
 public:
  enum class Mode { single, negated, every, any };
  Networks(const std::vector<Constant>& constants, Mode mode) : mode_(mode) {
    std::copy_if(constants.begin(), constants.end(), std::back_inserter(nets_), [](const Constant& each) { return each.bits >= 0; });
  }
  bool holds(const Cell& value, TextBuffers&) const override {
    const auto in = [&](const Scalar& each) { return inside(each.text); };
    switch (mode_) {
      case Mode::single:
        return in(value.scalar);
      case Mode::negated:
        return !in(value.scalar);
      case Mode::every:
        return std::all_of(value.list.begin(), value.list.end(), in);
      case Mode::any:
        return std::any_of(value.list.begin(), value.list.end(), in);
    }
    return false;
  }

 private:
  bool inside(std::string_view address) const {
    return std::any_of(nets_.begin(), nets_.end(), [&](const Constant& net) {
      if (net.text.size() != address.size()) return false;
      const auto bytes = static_cast<std::size_t>(net.bits / 8);
      if (address.substr(0, bytes) != std::string_view(net.text).substr(0, bytes)) return false;
      const int rest = net.bits % 8;
      return rest == 0 || ((static_cast<unsigned char>(address[bytes]) ^ static_cast<unsigned char>(net.text[bytes])) >> (8 - rest)) == 0;
    });
  }

  std::vector<Constant> nets_;
  const Mode mode_;
};

class Text : public Predicate {
 public:
  Text(Operator word, const Constant& constant, bool is_binary)
      : word_(word), constant_(constant), how_(is_binary ? Reach::cut : Reach::all) {}
  bool holds(const Cell& value, TextBuffers& scratch) const override {
    const auto text = reach(how_, value.scalar.text);
    switch (word_) {
      case Operator::glob:
      case Operator::iglob:
        return globs(constant_.text.c_str(), text, word_ == Operator::iglob, scratch);
      default:
        return compare_texts(word_, text, constant_.text, scratch);
    }
  }
  std::vector<std::string> literals(bool& folds) const override {
    switch (word_) {
      case Operator::equal:
      case Operator::contains:
      case Operator::startswith:
      case Operator::endswith:
        return {constant_.text};
      case Operator::icontains:
        folds = true;
        return {lowered(constant_.text)};
      case Operator::glob:
        return {text_of_glob(constant_.text)};
      case Operator::iglob:
        folds = true;
        return {lowered(text_of_glob(constant_.text))};
      default:
        return {};
    }
  }

 private:
  const Operator word_;
  const Constant constant_;
  const Reach how_;
};

class Number : public Predicate {
 public:
  Number(Operator word, std::uint64_t constant) : word_(word), constant_(constant) {}
  bool holds(const Cell& value, TextBuffers&) const override { return ordered(word_, value.scalar.number, constant_); }
  std::vector<std::uint64_t> numbers() const override {
    if (word_ != Operator::equal) return {};
    return {constant_};
  }

 private:
  const Operator word_;
  const std::uint64_t constant_;
};

class Regex : public Predicate {
 public:
  Regex(const std::string& pattern, bool is_binary)
      : regex_(pattern, options()), required_(texts_of_regex(pattern)), how_(is_binary ? Reach::whole : Reach::all) {
    if (!regex_.ok()) throw std::runtime_error("invalid regex pattern: " + regex_.error());
  }
  bool holds(const Cell& value, TextBuffers&) const override {
    const auto text = reach(how_, value.scalar.text);
    if (required_.size() == 1 && !contains(text, required_.front())) return false;
    return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), regex_);
  }
  std::vector<std::string> literals(bool&) const override { return required_; }

 private:
  // As lanner.rules.language.operators.compile_regex
  static RE2::Options options() {
    RE2::Options options;
    options.set_posix_syntax(true);
    options.set_longest_match(true);
    options.set_never_capture(true);
    options.set_log_errors(false);
    return options;
  }

  const RE2 regex_;
  const std::vector<std::string> required_;
  const Reach how_;
};

class Paths : public Predicate {
 public:
  Paths(const std::vector<Constant>& constants, bool is_binary) : how_(is_binary ? Reach::whole : Reach::all) {
    for (const auto& constant : constants) {
      paths_.add(constant.text);
      texts_.emplace_back(last_component(constant.text));
    }
  }
  bool holds(const Cell& value, TextBuffers& scratch) const override { return paths_.match(reach(how_, value.scalar.text), scratch); }
  std::vector<std::string> literals(bool&) const override { return texts_.size() <= most_literals ? texts_ : std::vector<std::string>{}; }

 private:
  PathPrefixes paths_;
  std::vector<std::string> texts_;
  const Reach how_;
};

class Combination : public Predicate {
 public:
  Combination(std::vector<std::unique_ptr<Predicate>> tests, Modifier modifier) : tests_(std::move(tests)), modifier_(modifier) {}
  bool holds(const Cell& value, TextBuffers& scratch) const override {
    const auto holds = [&](const auto& test) { return test->holds(value, scratch); };
    if (tests_.empty()) return false;
    if (modifier_ == Modifier::anyof) return std::any_of(tests_.begin(), tests_.end(), holds);
    if (modifier_ == Modifier::allof) return std::all_of(tests_.begin(), tests_.end(), holds);
    return std::count_if(tests_.begin(), tests_.end(), holds) == 1;
  }
  std::vector<std::string> literals(bool& folds) const override {
    std::vector<std::string> all;
    for (const auto& test : tests_) {
      const auto texts = test->literals(folds);
      // each text of allof is needed: the first is as good as another
      if (texts.empty() || modifier_ == Modifier::allof) return texts;
      all.insert(all.end(), texts.begin(), texts.end());
    }
    return all.size() <= most_literals ? all : std::vector<std::string>{};
  }

 private:
  const std::vector<std::unique_ptr<Predicate>> tests_;
  const Modifier modifier_;
};

std::unique_ptr<Predicate> combine(Operator word, const std::vector<Constant>& constants, Modifier modifier, const Type& type) {
  std::vector<std::unique_ptr<Predicate>> tests;
  const bool is_set =
      (word == Operator::equal && modifier == Modifier::anyof) || (word == Operator::unequal && modifier == Modifier::allof);
  if (is_set && !constants.empty()) {
    // Falco searches for the value's bytes in a set; a network is never a member, as in Members
    return std::make_unique<Member>(constants, type.is_binary ? Reach::whole : Reach::all, word == Operator::equal);
  }
  tests.reserve(constants.size());
  for (const auto& constant : constants) tests.push_back(make_predicate(word, {constant}, Modifier::none, type));
  return std::make_unique<Combination>(std::move(tests), modifier);
}

}  // namespace

std::vector<std::string_view> operator_names() {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : spellings) names.push_back(name);
  return names;
}

std::optional<Operator> operator_of(std::string_view name) {
  for (const auto& [each, value] : spellings) {
    if (each == name) return value;
  }
  return std::nullopt;
}

std::unique_ptr<Predicate> make_predicate(Operator word, const std::vector<Constant>& constants, Modifier modifier, const Type& type) {
  const bool is_network = type.is == Type::Is::network;
  if (type.is_list) {
    const bool every = word == Operator::in;
    if (is_network) return std::make_unique<Networks>(constants, every ? Networks::Mode::every : Networks::Mode::any);
    // a constant never has the trailing NUL that these values count
    return std::make_unique<ListMembers>(type.is_terminated ? std::vector<Constant>{} : constants, every);
  }
  if (modifier != Modifier::none) return combine(word, constants, modifier, type);
  if (is_network)
    return std::make_unique<Networks>(constants, word == Operator::unequal ? Networks::Mode::negated : Networks::Mode::single);
  const auto whole = type.is_binary ? Reach::whole : Reach::all;
  if (word == Operator::in || word == Operator::intersects) return std::make_unique<Member>(constants, whole, true);
  if (word == Operator::pmatch) return std::make_unique<Paths>(constants, type.is_binary);
  if (constants.size() != 1) throw std::runtime_error("this operator takes one constant");
  const auto& constant = constants[0];
  if (!constant.is_text) return std::make_unique<Number>(word, constant.number);
  if (word == Operator::regex) return std::make_unique<Regex>(constant.text, type.is_binary);
  return std::make_unique<Text>(word, constant, type.is_binary);
}

bool Comparison::holds(const Cell& left, const Cell& right, TextBuffers& scratch) const {
  if (word != Operator::in && word != Operator::intersects) {
    if (left.state != Cell::State::scalar || right.state != Cell::State::scalar) return false;
    if (is_text && left.scalar.is_text && right.scalar.is_text) {
      return compare_texts(word, c_text(left.scalar.text), c_text(right.scalar.text), scratch);
    }
    if (left.scalar.is_text) return ordered(word, left.scalar.text, right.scalar.text);
    return ordered(word, left.scalar.number, right.scalar.number);
  }
  // Falco compares lengths and bytes here. It removes trailing NULs only from a single value on the left.
  if (!is_list) {
    if (right_terminated || left.state != Cell::State::scalar || right.state != Cell::State::scalar) return false;
    auto value = left.scalar;
    if (is_text && value.is_text) value.text = stripped(value.text);
    return value == right.scalar;
  }
  if (left_terminated != right_terminated) return word == Operator::in && left.list.empty();
  const auto has = [&](const Scalar& each) { return std::find(right.list.begin(), right.list.end(), each) != right.list.end(); };
  return word == Operator::in ? std::all_of(left.list.begin(), left.list.end(), has) : std::any_of(left.list.begin(), left.list.end(), has);
}

}  // namespace lanner
