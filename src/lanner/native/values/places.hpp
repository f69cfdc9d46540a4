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

// Numbers of names, as a tape stores them: four bytes with the size, the name, a NUL and seven bytes that can be read. A key of two words
// has the size and the first four and last eight bytes, so that most names are compared by two words.
class NameTable {
 public:
  // The number of all other names
  static constexpr std::uint32_t none = 0;

  NameTable() = default;
  NameTable(NameTable&&) noexcept = default;

  // Returns the table's copy of the name.
  std::string_view add(std::string_view name, std::uint32_t number);
  bool empty() const { return names_.empty(); }
  std::uint32_t find(std::string_view name) const;

  // For many lookups: a copy whose members the compiler keeps in registers. The table must not change meanwhile.
  class Lookup;
  Lookup lookup() const;

 private:
  struct Key {
    Key() = default;
    explicit Key(const char* stored) {
      std::memcpy(&head, stored, sizeof head);
      if (const auto size = static_cast<std::uint32_t>(head); size >= 4) [[likely]] {
        std::memcpy(&tail, stored + size - 4, sizeof tail);
      } else {
        head = head << 8 * (4 - size) >> 8 * (4 - size);  // little-endian, as are all machines that Lanner supports
      }
    }
    std::size_t hash(std::uint64_t factor) const { return static_cast<std::size_t>((head + tail) * factor >> 35); }
    std::size_t size() const { return head & 0xFFFF'FFFF; }
    bool operator==(const Key&) const = default;

    std::uint64_t head = 0;
    std::uint64_t tail = 0;
  };
  static constexpr std::size_t longest_key = 12;
  static constexpr std::uint32_t is_long = std::uint32_t{1} << 31;

  struct Entry {
    Key key;
    const char* stored = nullptr;
    std::uint32_t number = none;  // with `is_long` if the name has more bytes than its key
  };

  bool put(const std::string& stored, std::uint32_t number);
  bool put_all();

  std::deque<std::string> names_;  // as stored; a deque: addresses stay valid
  std::vector<std::uint32_t> numbers_;
  std::vector<Entry> slots_ = std::vector<Entry>(1);  // at least three quarters of them are free: `none`
  std::uint64_t factor_ = 0x9E3779B97F4A7C15;         // of the hash: few names get one with which each has its own slot
};

class NameTable::Lookup {
 public:
  std::uint32_t operator()(const char* stored) const {
    const Key key(stored);
    const std::size_t offset = key.hash(factor_) & mask_;
    const auto& entry = *reinterpret_cast<const Entry*>(slots_ + offset);
    const auto number = entry.number;
    const bool is_sure = entry.key == key ? !(number & is_long) : number == none;
    return is_sure ? number : find_from(offset, key, stored, *this);
  }

 private:
  friend class NameTable;
  explicit Lookup(const NameTable& table)
      : slots_(reinterpret_cast<const char*>(table.slots_.data())),
        mask_((table.slots_.size() - 1) * sizeof(Entry)),
        factor_(table.factor_) {}
  // In this slot or a later one. Not inline: `operator()` is small without it.
  [[gnu::noinline]] static std::uint32_t find_from(std::size_t offset, Key key, const char* stored, Lookup lookup);

  // offsets instead of numbers, so that a lookup multiplies nothing
  const char* slots_;
  std::size_t mask_;
  std::uint64_t factor_;
};

inline NameTable::Lookup NameTable::lookup() const { return Lookup(*this); }

// The places of a table's paths as a tree. The whole document is place 0.
class Places {
 public:
  Forms forms;  // what the trees read besides

  static constexpr std::uint32_t document = NameTable::none;  // below no other place

  // The place of the steps before an argument, and their number.
  std::pair<std::uint32_t, std::size_t> add(const std::vector<Step>& steps);
  std::size_t size() const { return nodes_.size(); }

 private:
  friend class Search;
  struct Node {
    std::uint32_t above = document;
    bool is_item = false;                                        // of an array, else a member
    MemberName name = MemberName({});                            // of a member; its text is in `members` of the node above
    NameTable members;                                           // the places below, if this one is an object ...
    std::vector<std::pair<std::uint64_t, std::uint32_t>> items;  // ... or an array
  };

  std::uint32_t below(std::uint32_t place, const Step& step);

  std::vector<Node> nodes_ = std::vector<Node>(1);
};

// The places in one document after another. An object is searched once for all places in it. Only if it has been asked for one or two in the
// last documents, only these are looked for: less work. (The document itself is asked for more by nearly all hosts.)
class Search {
 public:
  // `places` may grow until the first document.
  explicit Search(const Places& places) : table_(places) {}

  // A payload without a document: no place has an element.
  void begin();

  // The document of the payload
  void set(const Tape& tape) {
    tape_ = tape;
    places_[Places::document].found = found(Tape::document);
  }

  const Tape& tape() const { return tape_; }

  // The element at a place, or Tape::none
  std::uint32_t at(std::uint32_t place) {
    const auto& one = places_[place];
    if (one.found >> 32 == turn_) return static_cast<std::uint32_t>(one.found);
    return places_[one.above].searched == turn_ ? Tape::none : look_for(place);
  }

 private:
  struct alignas(64) Place {
    std::uint64_t found = 0;     // an element or none, and before it the turn in which it was looked for: one store
    std::uint32_t searched = 0;  // the turn in which all places below were searched ...
    std::uint32_t asked = 0;     // ... or only some of them
    std::uint32_t above = Places::document;
    std::uint8_t asked_for = 0;  // the number of places below that were asked for in that turn
    bool has_many = false;       // that number was large in a turn
    bool is_alone = false;       // it is a member that may be looked for without the others of its object
    MemberName name = MemberName({});
  };

  std::uint64_t found(std::uint32_t element) const { return std::uint64_t{turn_} << 32 | element; }
  // Not inline: `at` needs few registers without it, and this one few without the next.
  [[gnu::noinline]] std::uint32_t look_for(std::uint32_t place);
  [[gnu::noinline]] std::uint32_t search(std::uint32_t place, std::uint32_t container, std::uint32_t element);

  const Places& table_;
  Tape tape_;
  std::uint32_t turn_ = 0;  // the number of the payload
  std::vector<Place> places_;
};

}  // namespace lanner
