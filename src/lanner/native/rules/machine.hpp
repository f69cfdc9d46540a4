// Runs a program on one event after another. No Python here; only for one thread at a time.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "rules/clock.hpp"
#include "rules/kept.hpp"
#include "rules/program.hpp"
#include "rules/transforms.hpp"
#include "values/document.hpp"

namespace lanner {

enum class Truth : std::uint8_t { no, yes, open };

// The host's data about an event besides its payload
struct EventInfo {
  std::uint64_t place = 0;  // from 1
  bool has_time = false;
  std::uint64_t time = 0;  // in nanoseconds since 1970
  bool has_first = false;
  std::uint64_t first = 0;  // the time of the first event
};

// A rule that matches an event, or may match: `is_open` leaves it to Python. If all values for its alert are known (`has_values`),
// they are among the kept values from index `values`.
struct Hit {
  std::size_t event = 0;  // in its batch, from 0
  std::uint32_t rule = 0;
  bool is_open = false;
  bool has_time = false;
  std::uint64_t time = 0;
  bool has_values = false;
  std::size_t values = 0;
};

class Machine {
 public:
  Machine(const Program& program, bool first)
      : program_(program),
        first_(first),
        document_(program.table.places),
        misfits_(program.table.trees.size()),
        slots_(program.slots.size()),
        operands_(program.operands.size()),
        positions_(program.index.size() + 2) {
    types_.resize(program.operands.size());
    values_.resize(program.operands.size());
    for (std::size_t number = 0; number < program.operands.size(); ++number) {
      for (const auto operand : program.operands[number].operands) types_[number].push_back(&program.operands[operand].type);
      values_[number].resize(program.operands[number].operands.size());
    }
  }

  // Loads the next payload and returns whether it is valid JSON; always true if no field reads it. `is_padded`: simdjson may read its
  // padding after the payload, which stays there until the next load.
  bool load(std::string_view payload, bool is_padded);

  // Whether strings of the last payload have no UTF-8.
  bool has_invalid_utf8() const { return document_.has_invalid_utf8(); }

  // The event's own time, if it has one
  bool own_time(std::uint64_t& time);

  // The rules that match, in order. An open rule may be followed by others, even open ones; the first sure rule ends the search.
  void match(const EventInfo& info, std::size_t event, std::vector<Hit>& hits, KeptValues& kept);

  // How many rules were evaluated for all events so far: those that the index found
  std::uint64_t evaluated() const { return evaluated_; }

  // For each tree, how often a value had another type than its field
  std::vector<Misfits>& misfits() { return misfits_; }

  // The value of a field, set by a caller that has it from elsewhere: after load(), before match()
  Cell& given(std::size_t slot) {
    touched_.push_back(slot);
    return slots_[slot];
  }

 private:
  const Cell& slot(std::size_t number);
  const Cell& operand(std::size_t number);
  void find_rules(const std::vector<ValueIndex>& values);
  void read(const Source& source, Cell& cell);
  void put_time(const Source& source, std::uint64_t time, Cell& cell) const;
  bool keep(std::uint32_t rule, KeptValues& kept);
  Truth check(const Check& check);
  Truth evaluate(std::uint32_t number);

  const Program& program_;
  const bool first_;
  Document document_;
  std::vector<Misfits> misfits_;  // by tree
  std::vector<Cell> slots_;
  std::vector<std::size_t> touched_;  // the slots that were read for this event
  std::vector<Cell> operands_;
  std::vector<std::size_t> made_;  // the operands, other than slots, that were evaluated for this event
  std::vector<std::vector<const Type*>> types_;
  std::vector<std::vector<const Cell*>> values_;
  struct Range {
    const std::uint32_t* at;
    const std::uint32_t* end;
  };
  std::vector<Range> positions_;
  Literals::SearchState seen_;
  std::vector<std::uint32_t> found_;  // the rules that were found by other values of the event
  std::uint64_t evaluated_ = 0;
  EventInfo info_;
  Clock clock_;
  Arena arena_;
  TextBuffers scratch_;
};

}  // namespace lanner
