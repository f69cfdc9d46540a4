// The places that the paths of a table name, and the search for them. No Python here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "values/line_forms.hpp"
#include "values/tape.hpp"

namespace lanner {

// A step of a path: a member's name, an item's number, the field's argument, all items (or the one that an index names), or a condition
// for an item.
struct Argument {};
struct Each {
  bool at_index = false;
};
struct Where {
  std::string name;
  std::vector<std::string> texts;
};
using Step = std::variant<std::string, std::uint64_t, Argument, Each, Where>;

// Numbers of names. Two words of a name are its hash and, for a name of at most 16 bytes, the whole comparison.
class NameTable {
 public:
  // The number of all other names
  static constexpr std::uint32_t none = 1;

  NameTable() = default;
  NameTable(NameTable&&) noexcept = default;

  void add(std::string_view name, std::uint32_t number);
  bool empty() const { return names_.empty(); }

  // For many lookups: a copy whose members the compiler keeps in registers. The table must not change meanwhile.
  class Lookup;
  Lookup lookup() const;

 private:
  static constexpr std::size_t word = sizeof(std::uint64_t);

  struct Key {
    Key() = default;
    // Eight bytes can be read at `name`.
    Key(const char* name, std::size_t length) : size(length) {
      std::memcpy(&head, name, word);
      if (length >= word) {
        std::memcpy(&tail, name + length - word, word);
      } else {
        head = head << 8 * (word - 1 - length) << 8;  // little-endian, as are all machines that Lanner supports
      }
    }
    std::size_t hash() const { return static_cast<std::size_t>((head ^ tail << 1 ^ size) * 0x9E3779B97F4A7C15 >> 40); }

    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    std::size_t size = 0;
  };
  struct Entry {
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    std::uint32_t size = 0;
    std::uint32_t number = none;
    const char* name = nullptr;
  };

  void put(const std::string& name, std::uint32_t number);

  std::deque<std::string> names_;  // a deque: addresses stay valid
  std::vector<std::uint32_t> numbers_;
  std::vector<Entry> slots_ = std::vector<Entry>(1);  // at least three quarters of them are free: `none`
};

class NameTable::Lookup {
 public:
  // Eight bytes can be read at `name`, as on a tape.
  std::uint32_t operator()(const char* name, std::size_t size) const {
    const Key key(name, size);
    for (std::size_t slot = key.hash() & mask_;; slot = (slot + 1) & mask_) {
      const Entry& entry = slots_[slot];
      const bool is_same = ((entry.head ^ key.head) | (entry.tail ^ key.tail) | (entry.size ^ key.size)) == 0;
      const bool is_sure = is_same ? size <= 2 * word : entry.number == none;
      if (is_sure || (is_same && std::memcmp(entry.name, name, size) == 0)) return is_same ? entry.number : none;
    }
  }

 private:
  friend class NameTable;
  Lookup(const Entry* slots, std::size_t mask) : slots_(slots), mask_(mask) {}

  const Entry* slots_;
  std::size_t mask_;
};

inline NameTable::Lookup NameTable::lookup() const { return {slots_.data(), slots_.size() - 1}; }

// The places of a table's paths as a tree. The whole document is place 0.
class Places {
 public:
  Forms forms;  // what the trees read besides

  static constexpr std::uint32_t document = 0;

  // The place of the steps before an argument, and their number.
  std::pair<std::uint32_t, std::size_t> add(const std::vector<Step>& steps);
  std::size_t size() const { return nodes_.size(); }

 private:
  friend class Search;
  struct Node {
    std::uint32_t above = document;
    NameTable members;                                           // the places below, if this one is an object ...
    std::vector<std::pair<std::uint64_t, std::uint32_t>> items;  // ... or an array
  };

  std::uint32_t below(std::uint32_t place, const Step& step);

  std::vector<Node> nodes_ = std::vector<Node>(2);  // the second is for the members that no path names: NameTable::none
};

// The places in one document after another. An object is searched once for all places in it, when the first of them is asked for.
class Search {
 public:
  // `places` may grow until the first document.
  explicit Search(const Places& places) : places_(places) {}

  void begin(const Tape& tape);

  // For a payload without a document: no place has an element.
  void begin();

  const Tape& tape() const { return tape_; }

  // The element at a place, or Tape::none
  std::uint32_t at(std::uint32_t place) {
    const auto above = places_.nodes_[place].above;
    if (searched_[above] != turn_) search(above);
    return found_[place].turn == turn_ ? found_[place].element : Tape::none;
  }

 private:
  struct Found {
    std::uint32_t element;
    std::uint32_t turn;
  };

  void search(std::uint32_t place);

  const Places& places_;
  Tape tape_;
  std::uint32_t turn_ = 0;  // the number of the document
  // by place:
  std::vector<Found> found_;             // valid in one turn
  std::vector<std::uint32_t> searched_;  // the turn in which the places below were searched
};

}  // namespace lanner
