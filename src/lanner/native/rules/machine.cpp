#include "rules/machine.hpp"

#include <algorithm>
#include <functional>

namespace lanner {

bool Machine::load(std::string_view payload, bool is_padded) {
  for (const auto number : touched_) slots_[number].state = Cell::State::unread;
  for (const auto number : made_) operands_[number].state = Cell::State::unread;
  touched_.clear();
  made_.clear();
  arena_.clear();
  scratch_.clear();
  if (!program_.reads_payload) return true;
  return is_padded ? document_.load_in_place(payload) : document_.load(payload);
}

bool Machine::own_time(std::uint64_t& time) {
  if (!program_.has_time) return false;
  const auto result = document_.read(program_.table.trees.back(), {}, arena_, &misfits_.back());
  const auto* number = std::get_if<std::uint64_t>(&result);
  if (number) time = *number;
  return number != nullptr;
}

void Machine::match(const EventInfo& info, std::size_t event, std::vector<Hit>& hits, KeptValues& kept) {
  info_ = info;
  std::size_t lists = 0;
  found_.clear();
  const auto add = [&](const std::vector<std::uint32_t>& rules) {
    if (!rules.empty()) positions_[lists++] = {rules.data(), rules.data() + rules.size()};
  };
  const auto add_group = [&](const Group& group) {
    add(group.rules);
    find_rules(group.values);
  };
  add_group(program_.groups.front());
  for (const auto& field : program_.index) {
    const auto& value = slot(field.slot);
    if (value.state != Cell::State::scalar) continue;
    if (value.scalar.is_text) {
      if (const auto found = field.texts.find(value.scalar.text); found != field.texts.end()) add_group(program_.groups[found->second]);
    } else {
      if (const auto found = field.numbers.find(value.scalar.number); found != field.numbers.end())
        add_group(program_.groups[found->second]);
    }
  }
  // several values may have found the same rule; one value finds its rules in order
  if (!std::is_sorted(found_.begin(), found_.end(), std::less_equal<>())) {
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
  }
  add(found_);
  // Each rule is in at most one of the lists, and each list is in order
  while (lists > 0) {
    std::size_t least = 0;
    for (std::size_t place = 1; place < lists; ++place) {
      if (*positions_[place].at < *positions_[least].at) least = place;
    }
    auto& position = positions_[least];
    const auto rule = *position.at++;
    if (position.at == position.end) position = positions_[--lists];
    ++evaluated_;
    const auto truth = evaluate(program_.conditions[rule]);
    if (truth == Truth::no) continue;
    const auto values = kept.size();
    hits.push_back({event, rule, truth == Truth::open, info.has_time, info.time, truth == Truth::yes && keep(rule, kept), values});
    if (first_ && truth == Truth::yes) return;
  }
}

void Machine::find_rules(const std::vector<ValueIndex>& values) {
  for (const auto& index : values) {
    const auto bring = [&](const std::vector<std::uint32_t>& rules) { found_.insert(found_.end(), rules.begin(), rules.end()); };
    const auto& value = operand(index.operand);
    if (value.state == Cell::State::absent) continue;
    if (value.state == Cell::State::open) {
      bring(index.all);
      continue;
    }
    bring(index.present);
    if (value.state == Cell::State::scalar && !value.scalar.is_text) {
      if (const auto rules = index.numbers.find(value.scalar.number); rules != index.numbers.end()) bring(rules->second);
    } else if (!index.rules.empty()) {
      const auto find = [&](std::string_view text) {
        index.literals.find(text, seen_, [&](std::uint32_t literal) { bring(index.rules[literal]); });
      };
      if (value.state == Cell::State::scalar) {
        find(value.scalar.text);
      } else {
        for (const auto& item : value.list) find(item.text);
      }
    }
  }
}

bool Machine::keep(std::uint32_t rule, KeptValues& kept) {
  const auto before = kept.size();
  for (const auto number : program_.wanted[rule]) {
    const auto& cell = operand(number);
    if (cell.state == Cell::State::open) {
      kept.resize(before);
      return false;
    }
    kept.add(cell, program_.operands[number].type);
  }
  return true;
}

const Cell& Machine::slot(std::size_t number) {
  auto& cell = slots_[number];
  if (cell.state == Cell::State::unread) {
    touched_.push_back(number);
    read(program_.slots[number], cell);
  }
  return cell;
}

void Machine::read(const Source& source, Cell& cell) {
  const auto put = [&](Scalar scalar) {
    cell.state = Cell::State::scalar;
    cell.scalar = scalar;
  };
  cell.state = Cell::State::absent;
  switch (source.kind) {
    case Source::Kind::python:
      cell.state = Cell::State::open;
      return;
    case Source::Kind::absent:
      return;
    case Source::Kind::text:
      return put(Scalar::of(source.text));
    case Source::Kind::number:
      return put(Scalar::of(source.number));
    case Source::Kind::place:
      return put(Scalar::of(info_.place));
    case Source::Kind::time:
      if (!info_.has_time) {
        cell.state = Cell::State::open;
        return;
      }
      return put_time(source, info_.time, cell);
    case Source::Kind::elapsed:
      if (!info_.has_time || !info_.has_first) {
        cell.state = Cell::State::open;
        return;
      }
      return put_time(source, info_.time - info_.first, cell);
    case Source::Kind::clock: {
      if (!info_.has_time) {
        cell.state = Cell::State::open;
        return;
      }
      auto& text = arena_.take();
      clock_.append(source.clock, info_.time, text);
      return put(Scalar::of(std::string_view(text)));
    }
    case Source::Kind::json:
      break;
  }
  Given given;
  if (source.has_argument) {
    if (source.is_index) {
      given = source.number;
    } else {
      given = std::string_view(source.text);
    }
  }
  const auto result = document_.read(program_.table.trees[source.tree], given, arena_, &misfits_[source.tree]);
  if (const auto* text = std::get_if<std::string_view>(&result)) return put(Scalar::of(*text));
  if (const auto* number = std::get_if<std::uint64_t>(&result)) return put(Scalar::of(*number));
  if (const auto* items = std::get_if<Items>(&result)) {
    cell.state = Cell::State::list;
    cell.list.assign(items->begin(), items->end());
  }
}

void Machine::put_time(const Source& source, std::uint64_t time, Cell& cell) const {
  constexpr std::uint64_t second = 1'000'000'000;
  cell.state = Cell::State::scalar;
  cell.scalar = Scalar::of(source.part == Source::Part::whole     ? time
                           : source.part == Source::Part::seconds ? time / second
                                                                  : time % second);
}

const Cell& Machine::operand(std::size_t number) {
  const auto& operand = program_.operands[number];
  if (operand.kind == Operand::Kind::slot) return slot(operand.slot);
  auto& cell = operands_[number];
  if (cell.state != Cell::State::unread) return cell;
  made_.push_back(number);
  if (operand.kind == Operand::Kind::text) {
    cell.state = Cell::State::scalar;
    cell.scalar = Scalar::of(operand.text);
    return cell;
  }
  auto& values = values_[number];
  bool is_open = false;
  for (std::size_t place = 0; place < values.size(); ++place) {
    values[place] = &this->operand(operand.operands[place]);
    if (values[place]->state == Cell::State::absent) {
      cell.state = Cell::State::absent;
      return cell;
    }
    is_open |= values[place]->state == Cell::State::open;
  }
  if (is_open) {
    cell.state = Cell::State::open;
  } else {
    cell.state = Cell::State::absent;
    cell.list.clear();
    operand.transformer->make(operand, types_[number], values, cell, arena_);
  }
  return cell;
}

Truth Machine::check(const Check& check) {
  const auto& left = operand(check.left);
  if (left.state == Cell::State::absent) return Truth::no;
  const auto truth = [](bool holds) { return holds ? Truth::yes : Truth::no; };
  if (check.right == Check::none) {
    if (left.state == Cell::State::open) return Truth::open;
    return check.is_existence ? Truth::yes : truth(check.predicate->holds(left, scratch_));
  }
  const auto& right = operand(check.right);
  if (right.state == Cell::State::absent) return Truth::no;
  if (left.state == Cell::State::open || right.state == Cell::State::open) return Truth::open;
  return truth(check.compare.holds(left, right, scratch_));
}

Truth Machine::evaluate(std::uint32_t number) {
  const auto& node = program_.nodes[number];
  if (node.kind == Node::Kind::check) return check(program_.checks[node.check]);
  if (node.kind == Node::Kind::open) return Truth::open;
  const auto* at = program_.children.data() + node.begin;
  const auto* const end = program_.children.data() + node.end;
  if (node.kind == Node::Kind::negation) {
    const auto truth = evaluate(*at);
    return truth == Truth::open ? truth : truth == Truth::yes ? Truth::no : Truth::yes;
  }
  const auto decisive = node.kind == Node::Kind::all ? Truth::no : Truth::yes;
  bool is_open = false;
  for (; at != end; ++at) {
    const auto truth = evaluate(*at);
    if (truth == decisive) return truth;
    is_open |= truth == Truth::open;
  }
  return is_open ? Truth::open : node.kind == Node::Kind::all ? Truth::yes : Truth::no;
}

}  // namespace lanner
