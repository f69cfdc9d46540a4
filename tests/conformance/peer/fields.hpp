// Some fields of Docker events, read as fast as simdjson and a cache of one event allow.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

enum class Field : uint32_t {
  type,
  action,
  status,
  id,
  from,
  actor_id,
  attribute_name,
  attribute_image,
  attribute,  // takes a key
  exit_code,  // a number
  stack_namespace,
  attribute_keys,  // a list; last, as 0.3 has none
};

class EventFields {
 public:
  EventFields();
  ~EventFields();

  // Reads the event, unless it is the one read last; false: no JSON object.
  bool read(const uint8_t* payload, uint32_t length);
  // Reads the next event, of any form.
  void forget();

  // These stay valid until another event is read. Null: no value.
  const char* text(Field field, const char* key) const;
  bool number(Field field, uint64_t& number) const;
  void list(std::vector<const char*>& values) const;

 private:
  struct Document;
  std::unique_ptr<Document> document_;
};

// What get_fields answers.
std::string describe_fields(bool api_03);

// "timeNano" of an event, without reading it all; UINT64_MAX without one.
uint64_t event_time(std::string_view payload);
