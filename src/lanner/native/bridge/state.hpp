// The result of plugin_init: the plugin's instance, its fields, and the current event.
#pragma once

#include "bridge/python.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "bridge/bridge.h"
#include "bridge/log.hpp"
#include "bridge/scratch.hpp"
#include "values/document.hpp"
#include "values/values.hpp"

namespace lanner {

// A field as described by lanner.embedded.state.
struct alignas(64) Field {
  int type = 0;
  bool is_list = false;
  bool takes_key = false;
  bool takes_index = false;
  bool needs_argument = false;
  const Value* value = nullptr;  // its tree in the table; none for a method
  bool is_place = false;         // the tree is a path to a string, without an argument
  const char* text = nullptr;    // of the path for the last call
  Ref method;                    // bound to the plugin's instance
  Ref info;                      // lanner.sdk.types.FieldInfo
};

}  // namespace lanner

struct lanner_state {
 public:
  // Raises PythonError.
  explicit lanner_state(const lanner_init_request& request);
  ~lanner_state();  // with the GIL
  lanner_state(const lanner_state&) = delete;
  lanner_state& operator=(const lanner_state&) = delete;

  bool extract(const lanner_event& event, const lanner_request* requests, std::uint32_t count, bool offsets,
               lanner_result* results) noexcept;
  const char* event_to_string(const lanner_event& event);
  const char* list_open_params();

  // The event's time in its payload, nanoseconds since 1970.
  std::optional<std::uint64_t> time_of(std::string_view payload);
  // Whether that is the integer of this member (`"NAME":`), if the payload has it.
  bool reads_nanoseconds(std::string_view member) const { return time_member_ == member && time_factor_ == 1; }

  // Stores the message of a failure. Takes the current Python exception, and logs it with its traceback.
  void failed(const char* call);

  std::string error;
  const lanner_api api;
  const std::uint32_t id;
  PyObject* plugin() const { return host_.get(); }

 private:
  void take_fields();
  void begin_call();
  bool extract_each(const lanner_event& event, const lanner_request* requests, std::uint32_t count, bool offsets, lanner_result* results);
  bool extract_one(const lanner::Field& field, const lanner_event& event, const lanner_request& request, bool offsets,
                   lanner_result& result);
  void take_text(lanner::Field& field, lanner_result& result);
  void take(const lanner::Result& value, const lanner::Field& field, lanner_result& result);
  void take(lanner::Items items, const lanner::Field& field, lanner_result& result);
  bool call(const lanner::Field& field, const lanner_event& event, const lanner::Given& given, lanner_result& result);
  bool take_object(PyObject* value, const lanner::Field& field, lanner_result& result);
  PyObject* python_event(const lanner_event& event);

  lanner::HostLog log_;
  lanner::Ref host_;  // lanner.embedded.state.State
  lanner::Ref event_type_;
  lanner::Ref normalise_;
  lanner::Ref key_names_, index_names_;      // of arguments
  std::array<Py_ssize_t, 5> event_slots_{};  // the offsets of the attributes of an Event
  std::vector<lanner::Field> fields_;
  lanner::Table table_;
  const lanner::Value* timestamp_ = nullptr;
  std::string time_member_;  // if the time is the integer of one member: `"NAME":`, and its unit in nanoseconds
  std::uint64_t time_factor_ = 1;
  lanner::Document document_{table_.places};
  lanner::Document timed_{table_.places};  // of time_of: the host may still use strings of `document_`
  lanner::Arena timed_arena_;
  lanner::Scratch scratch_;
  lanner::Arena arena_;            // strings that words made for the last call
  std::vector<lanner::Ref> kept_;  // objects whose strings were returned by the last call ...
  bool is_kept_stale_ = false;     // ... or by one before it: the next call with the GIL drops them
  lanner::Ref event_;              // the Event of `event_payload_`, or none
  lanner::Ref event_payload_;
  lanner::Ref source_, own_source_;  // the last event's source that a host has named, and the plugin's
  std::string source_text_;          // the first of them as the host gave it
  std::uint64_t event_number_ = 0, event_time_ = 0;
  lanner::Scratch text_;  // of event_to_string
  std::string params_;
};
