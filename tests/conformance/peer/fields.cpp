#include "fields.hpp"

#include <simdjson.h>

#include <charconv>
#include <cstring>
#include <optional>

namespace dom = simdjson::dom;

struct EventFields::Document {
  dom::parser parser;
  std::vector<char> bytes;  // the payload, and the room behind it that simdjson asks for
  uint32_t length = UINT32_MAX;
  bool well = false;
  const char *type, *action, *status, *id, *from, *actor_id;
  std::optional<dom::object> attributes;

  const char* attribute(std::string_view name) const {
    if (!attributes) return nullptr;
    const char* text;
    return attributes->at_key(name).get_c_str().get(text) == simdjson::SUCCESS ? text : nullptr;
  }

  // One walk over the members instead of a search for each field.
  void locate(dom::object event) {
    type = action = status = id = from = actor_id = nullptr;
    attributes.reset();
    for (auto [key, value] : event) {
      const char* text = nullptr;
      if (value.is_string()) text = value.get_c_str().value_unsafe();
      if (key == "Type") type = text;
      else if (key == "Action") action = text;
      else if (key == "status") status = text;
      else if (key == "id") id = text;
      else if (key == "from") from = text;
      else if (key == "Actor" && value.is_object()) locate_actor(value);
    }
    bool container = type != nullptr && std::strcmp(type, "container") == 0;
    bool image = type != nullptr && std::strcmp(type, "image") == 0;
    // engines of API 1.52 and later send no `status`, `id` and `from`
    if (status == nullptr && (container || image)) status = action;
    if (id == nullptr && (container || image)) id = actor_id;
    if (from == nullptr && container) from = attribute("image");
  }

  void locate_actor(dom::object actor) {
    for (auto [key, value] : actor) {
      if (key == "ID" && value.is_string()) actor_id = value.get_c_str().value_unsafe();
      if (key == "Attributes" && value.is_object()) attributes = value.get_object().value_unsafe();
    }
  }
};

EventFields::EventFields() : document_(std::make_unique<Document>()) {}
EventFields::~EventFields() = default;

void EventFields::forget() { document_->length = UINT32_MAX; }

bool EventFields::read(const uint8_t* payload, uint32_t length) {
  Document& document = *document_;
  // event numbers and addresses come again with other events; only the bytes tell
  if (document.length == length && std::memcmp(document.bytes.data(), payload, length) == 0) return document.well;
  if (document.bytes.size() < length + simdjson::SIMDJSON_PADDING) document.bytes.resize(2 * length + simdjson::SIMDJSON_PADDING);
  std::memcpy(document.bytes.data(), payload, length);
  document.length = length;
  dom::object event;
  document.well = document.parser.parse(document.bytes.data(), length, false).get(event) == simdjson::SUCCESS;
  if (document.well) document.locate(event);
  return document.well;
}

const char* EventFields::text(Field field, const char* key) const {
  const Document& document = *document_;
  switch (field) {
    case Field::type:
      return document.type;
    case Field::action:
      return document.action;
    case Field::status:
      return document.status;
    case Field::id:
      return document.id;
    case Field::from:
      return document.from;
    case Field::actor_id:
      return document.actor_id;
    case Field::attribute_name:
      return document.attribute("name");
    case Field::attribute_image:
      return document.attribute("image");
    case Field::attribute:
      return key == nullptr ? nullptr : document.attribute(key);
    case Field::stack_namespace:
      return document.attribute("com.docker.stack.namespace");
    default:
      return nullptr;
  }
}

bool EventFields::number(Field field, uint64_t& number) const {
  if (field != Field::exit_code) return false;
  const char* text = document_->attribute("exitCode");
  const char* action = document_->action;
  if (text == nullptr && action != nullptr && (std::strcmp(action, "die") == 0 || std::strcmp(action, "died") == 0)) {
    text = document_->attribute("containerExitCode");  // podman's, which has one on every event
  }
  if (text == nullptr || *text == '\0') return false;
  const char* end = text + std::strlen(text);
  auto [last, problem] = std::from_chars(text, end, number);
  return problem == std::errc() && last == end;
}

void EventFields::list(std::vector<const char*>& values) const {
  values.clear();
  if (!document_->attributes) return;
  for (auto member = document_->attributes->begin(); member != document_->attributes->end(); ++member) values.push_back(member.key_c_str());
}

std::string describe_fields(bool api_03) {
  static constexpr struct {
    const char *name, *type, *description;
    bool takes_key, is_list;
  } fields[] = {
      {"docker.type", "string", "Kind of object", false, false},
      {"docker.action", "string", "What happened", false, false},
      {"docker.status", "string", "What happened to a container or image", false, false},
      {"docker.id", "string", "ID of the container or image", false, false},
      {"docker.from", "string", "Image of the container", false, false},
      {"docker.actor.id", "string", "ID of the object", false, false},
      {"docker.attributes.name", "string", "Name of the object", false, false},
      {"docker.attributes.image", "string", "Image of the container", false, false},
      {"docker.attributes", "string", "Any attribute by its name", true, false},
      {"docker.exitcode", "uint64", "Exit code", false, false},
      {"docker.stack.namespace", "string", "Name of the stack", false, false},
      {"docker.attributes.keys", "string", "Names of all attributes", false, true},
  };
  std::string text = "[";
  for (const auto& field : fields) {
    if (api_03 && field.is_list) continue;
    if (text.size() > 1) text += ", ";
    text += std::string(R"({"name": ")") + field.name + R"(", "type": ")" + field.type + R"(", "desc": ")" + field.description + '"';
    if (field.takes_key) text += api_03 ? R"(, "argRequired": true)" : R"(, "arg": {"isRequired": true, "isKey": true})";
    if (field.is_list) text += R"(, "isList": true)";
    text += '}';
  }
  return text + ']';
}

uint64_t event_time(std::string_view payload) {
  constexpr std::string_view key = R"("timeNano":)";
  size_t at = payload.rfind(key);  // the engine puts it last
  uint64_t time;
  if (at == payload.npos) return UINT64_MAX;
  auto [end, problem] = std::from_chars(payload.data() + at + key.size(), payload.data() + payload.size(), time);
  return problem == std::errc() ? time : UINT64_MAX;
}
