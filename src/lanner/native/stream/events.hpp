// Events of one engine between its stream and the host. This file does not use Python.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "values/document.hpp"

namespace lanner {

struct StreamEvent {
  std::string_view line;                    // as the engine wrote it, without the line end
  std::string_view head;                    // the part of `line` for the host: all of it, or the part before the added member
  std::shared_ptr<const std::string> tail;  // what Lanner adds, or null
  std::size_t whole = 0;                    // the size of the event if `line` is only a part of it, else 0
  std::uint64_t time = 0;                   // ns since 1970
  bool has_time = false;
  bool ends_with_time = false;  // the time is from `last_time_of`

  std::size_t size() const { return head.size() + (tail ? tail->size() : 0); }
  std::string text() const { return tail ? std::string(head) + *tail : std::string(head); }
};

// Adds the member "lanner" to the events of one engine. Of members with equal names the last one counts, and Lanner's is the last member
// of the event, so a member "lanner" from the engine has no effect. If Lanner has nothing to add to such an event, it adds an empty member.
//
// If the line with the new member is valid JSON, the line before was an object: only inside an object a comma and a name may follow, and
// the last brace of the line closes that object. So the new member is its last one.
class Finisher {
 public:
  // `name`: the member "host" as JSON text, or empty if events do not name their engine.
  explicit Finisher(std::string_view name);

  // Returns whether the event has its own member "lanner" with a value that a field would read. Does not search if Lanner adds its member
  // to every event.
  bool finish(StreamEvent& event);

  // Also adds JSON text about the container.
  void describe(StreamEvent& event, std::string_view container) { add(event, container); }

 private:
  using Text = std::shared_ptr<const std::string>;

  bool is_forged(std::string_view line);
  void add(StreamEvent& event, std::string_view container) const;
  Text tail(std::size_t whole, std::string_view container, bool is_first) const;

  const std::string name_;
  const Text plain_[2];  // the member with only the name: after other members, and as the first one
  Places places_;
  const Value own_;
  Document document_;
  Arena arena_;
};

// Returns whether the line may report the creation or the start of a container. Fast, because it runs for every line.
bool may_start_container(std::string_view line);

// Returns the number of first events that fit into `count` events and `size` bytes.
std::size_t fitting(std::span<const StreamEvent> events, std::size_t count, std::size_t size);

// Returns the smallest number of first events with at least `count` events and `size` bytes, or the number of all events.
std::size_t covering(std::span<const StreamEvent> events, std::size_t count, std::size_t size);

}  // namespace lanner
