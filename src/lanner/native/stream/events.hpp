// Events of one engine on their way from the stream to the host. No Python here.
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
  std::string_view line;                    // as the engine wrote it, without its end
  std::string_view head;                    // the part of it that the host gets: all, or up to where something is added
  std::shared_ptr<const std::string> tail;  // what Lanner adds; null for nothing
  std::size_t whole = 0;                    // the bytes of an event of which `line` is a part; 0: `line` is all of it
  std::uint64_t time = 0;                   // ns since 1970
  bool has_time = false;

  std::size_t size() const { return head.size() + (tail ? tail->size() : 0); }
  std::string text() const { return tail ? std::string(head) + *tail : std::string(head); }
};

// Adds to events of one engine the member "lanner". An engine's own member of that name never counts: Lanner's is the last member of the
// event, and of equal names the last counts. An event with its own one gets an empty one if Lanner has nothing to add.
//
// If the line with the new member is valid JSON, then the line without it was an object, and the member is its last: the text before it
// ends where a comma and a name may follow, which is within an object, and the brace that closes this object ends the line.
class Finisher {
 public:
  // `name`: the member "host" as JSON text, or empty where events do not tell which engine they are from.
  explicit Finisher(std::string_view name);

  // Returns whether the event has its own member "lanner" in which a field would find something. That is not looked for if Lanner adds its
  // own in any case.
  bool finish(StreamEvent& event);

  // Add JSON text about the container, too.
  void describe(StreamEvent& event, std::string_view container) { add(event, container); }

 private:
  using Text = std::shared_ptr<const std::string>;

  bool is_forged(std::string_view line);
  void add(StreamEvent& event, std::string_view container) const;
  Text tail(std::size_t whole, std::string_view container, bool is_first) const;

  const std::string name_;
  const Text plain_[2];  // the member with no more than the name in it: after others, and as the first
  Places places_;
  const Value own_;
  Document document_;
  Arena arena_;
};

// Whether the line may be about the creation or the start of a container: cheap, for every line.
bool may_start_container(std::string_view line);

// How many of the first events fit into room for `count` events and `size` bytes.
std::size_t fitting(std::span<const StreamEvent> events, std::size_t count, std::size_t size);

// The least number of first events that are `count` events and `size` bytes, or more; all of them if they are fewer.
std::size_t covering(std::span<const StreamEvent> events, std::size_t count, std::size_t size);

}  // namespace lanner
