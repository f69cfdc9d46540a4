#include "bridge/state.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "bridge/log.hpp"
#include "bridge/threads.hpp"
#include "python/slots.hpp"
#include "python/table.hpp"
#include "values/offsets.hpp"

using namespace lanner;

namespace {

// The attribute as a C++ value.
long to_long(PyObject* object) {
  const long value = PyLong_AsLong(object);
  if (value == -1 && PyErr_Occurred()) throw PythonError();
  return value;
}

Ref attribute(PyObject* object, const char* name) { return checked(PyObject_GetAttrString(object, name)); }

// `"NAME":` if the value is the integer of a member of the payload itself.
void find_time_member(const Value& value, std::string& member, std::uint64_t& factor) {
  if (value.kind == Value::Kind::first && value.children.empty()) return;
  const Value& first = value.kind == Value::Kind::first ? value.children.front() : value;
  const bool is_time = first.kind == Value::Kind::word && first.word->operand == Word::Operand::time_form && first.form == DateForm::units;
  if (!is_time || first.children[0].kind != Value::Kind::path) return;
  const auto& steps = first.children[0].steps;
  const auto* name = steps.size() == 1 ? std::get_if<std::string>(&steps[0]) : nullptr;
  if (!name || name->find_first_of("\"\\") != std::string::npos) return;
  member = '"';
  member += *name;
  member += "\":";
  factor = first.number;
}

// The integer of the last member of an object, if it has this name: read from the end, without parsing. A valid JSON text with
// such an end has that member, and no later one with the same name.
std::optional<std::uint64_t> last_member(std::string_view payload, std::string_view member, std::uint64_t factor) {
  if (payload.empty() || payload.back() != '}') return std::nullopt;
  std::size_t at = payload.size() - 1;
  while (at && payload[at - 1] >= '0' && payload[at - 1] <= '9') --at;
  const std::size_t digits = payload.size() - 1 - at;
  if (digits == 0 || digits > 19 || (digits > 1 && payload[at] == '0') || at < member.size() + 1) return std::nullopt;
  const std::size_t begin = at - member.size();
  if (payload.substr(begin, member.size()) != member || (payload[begin - 1] != ',' && payload[begin - 1] != '{')) return std::nullopt;
  std::uint64_t number = 0;
  std::from_chars(payload.data() + at, payload.data() + payload.size() - 1, number);
  std::uint64_t product;
  if (__builtin_mul_overflow(number, factor, &product)) return std::nullopt;
  return product;
}

std::string_view payload_of(const lanner_event& event) { return {reinterpret_cast<const char*>(event.payload), event.size}; }

bool is_place(const Value& value) {
  return value.kind == Value::Kind::path && !value.is_list && !value.is_of_item && value.placed == value.steps.size();
}

// Which argument is used: hosts pass an index also as a key if the field takes both.
Given to_given(const Field& field, const lanner_request& request) {
  const auto is_number = [](const char* text) {
    const auto digits = std::strspn(text, "0123456789");
    return digits && !text[digits] && (digits == 1 || text[0] != '0');
  };
  if (field.takes_index && request.has_index && (!field.takes_key || !request.key || is_number(request.key))) return request.index;
  if (field.takes_key && request.key) return std::string_view(request.key);
  return {};
}

}  // namespace

lanner_state::lanner_state(const lanner_init_request& request) : api(request.api), id(request.id), log_(request.log, request.owner) {
  const Ref module = checked(PyImport_ImportModule("lanner.embedded.state"));
  const Ref archive = checked(PyBytes_FromStringAndSize(request.archive.data, static_cast<Py_ssize_t>(request.archive.size)));
  host_ = checked(PyObject_CallMethod(module.get(), "State", "ssOOOOis", request.plugin, request.hash, decoded(request.path).get(),
                                      archive.get(), decoded(request.config).get(), log_.object(), static_cast<int>(request.api),
                                      request.options));
  event_type_ = attribute(module.get(), "Event");
  normalise_ = attribute(module.get(), "normalise");
  key_names_ = checked(Py_BuildValue("(s)", "key"));
  index_names_ = checked(Py_BuildValue("(s)", "index"));
  const Ref names = attribute(module.get(), "EVENT_SLOTS");
  for (std::size_t place = 0; place < event_slots_.size(); ++place) {
    const Ref name = checked(PySequence_GetItem(names.get(), static_cast<Py_ssize_t>(place)));
    const char* text = PyUnicode_AsUTF8(name.get());
    event_slots_[place] = text ? slot_offset(reinterpret_cast<PyTypeObject*>(event_type_.get()), text) : -1;
    if (event_slots_[place] < 0) throw PythonError();
  }
  own_source_ = attribute(host_.get(), "source");
  take_fields();
}

lanner_state::~lanner_state() = default;

void lanner_state::take_fields() {
  const Ref trees = attribute(host_.get(), "trees");
  if (!to_table(trees.get(), table_)) throw PythonError();
  const auto tree_of = [this](PyObject* index) { return &table_.trees[static_cast<std::size_t>(to_long(index))]; };
  const Ref timestamp = attribute(host_.get(), "timestamp");
  if (timestamp.get() != Py_None) {
    timestamp_ = tree_of(timestamp.get());
    find_time_member(*timestamp_, time_member_, time_factor_);
  }
  const Ref fields = attribute(host_.get(), "fields");
  const Ref items = checked(PySequence_Fast(fields.get(), "fields"));
  for (Py_ssize_t place = 0; place < PySequence_Fast_GET_SIZE(items.get()); ++place) {
    PyObject* item = PySequence_Fast_GET_ITEM(items.get(), place);
    int is_list, takes_key, takes_index, needs_argument, type;
    PyObject *tree, *method, *info;
    if (!PyArg_ParseTuple(item, "ippppOOO", &type, &is_list, &takes_key, &takes_index, &needs_argument, &tree, &method, &info))
      throw PythonError();
    Field field;
    field.type = type;
    field.is_list = is_list;
    field.takes_key = takes_key;
    field.takes_index = takes_index;
    field.needs_argument = needs_argument;
    if (tree != Py_None) field.value = tree_of(tree);
    field.is_place = field.value && is_place(*field.value) && !field.needs_argument;
    field.method = Ref::borrowed(method);
    field.info = Ref::borrowed(info);
    fields_.push_back(std::move(field));
  }
}

void lanner_state::failed(const char* call) {
  const Ref exception = take_exception();
  error = describe(exception.get());
  const Ref said(PyObject_CallMethod(host_.get(), "failed", "sO", call, exception.get() ? exception.get() : Py_None));
  if (said && PyUnicode_Check(said.get())) {
    if (const char* text = PyUnicode_AsUTF8(said.get())) error = text;
  }
  PyErr_Clear();
}

std::optional<std::uint64_t> lanner_state::time_of(std::string_view payload) {
  if (!timestamp_) return std::nullopt;
  if (!time_member_.empty()) {
    if (const auto time = last_member(payload, time_member_, time_factor_)) return time;
  }
  timed_.load(payload);
  timed_arena_.clear();
  const auto result = timed_.read(*timestamp_, {}, timed_arena_);
  const auto* time = std::get_if<std::uint64_t>(&result);
  return time ? std::optional(*time) : std::nullopt;
}

bool lanner_state::extract(const lanner_event& event, const lanner_request* requests, std::uint32_t count, bool offsets,
                           lanner_result* results) noexcept {
  try {
    if (count == 1 && !offsets && requests->field < fields_.size()) {
      // most calls: a field of the event that the last call read
      Field& field = fields_[requests->field];
      if (field.value && document_.holds(payload_of(event))) {
        if (field.is_place) {
          take_text(field, *results);  // uses no memory of a call
          return true;
        }
        begin_call();
        *results = {};
        return extract_one(field, event, *requests, offsets, *results);
      }
    }
    return extract_each(event, requests, count, offsets, results);
  } catch (const std::exception& failure) {
    std::fill_n(results, count, lanner_result{});
    error = failure.what();
    return false;
  }
}

// Frees the memory of the last call for reuse.
void lanner_state::begin_call() {
  scratch_.clear();
  arena_.clear();
  is_kept_stale_ = true;
}

bool lanner_state::extract_each(const lanner_event& event, const lanner_request* requests, std::uint32_t count, bool offsets,
                                lanner_result* results) {
  begin_call();
  bool is_loaded = false;
  bool ok = true;
  for (std::uint32_t place = 0; place < count; ++place) {
    const lanner_request& request = requests[place];
    lanner_result& result = results[place];
    result = {};
    if (request.field >= fields_.size()) {
      error = "unknown field id " + std::to_string(request.field);
      ok = false;
      continue;
    }
    Field& field = fields_[request.field];
    if (field.value && !is_loaded) {
      // hosts reuse numbers and addresses of events: only the payload tells them apart
      if (const auto payload = payload_of(event); !document_.holds(payload)) document_.load(payload);
      is_loaded = true;
    }
    if (field.is_place && !offsets) {
      take_text(field, result);
      continue;
    }
    ok &= extract_one(field, event, request, offsets, result);
    if (offsets && !result.starts) {
      // values computed by Python code have no position in the event
      auto* zeros = scratch_.take<std::uint32_t>(result.count + 1);
      std::fill_n(zeros, result.count + 1, 0);
      result.starts = result.sizes = zeros;
    }
  }
  return ok;
}

// The value of a field that is a place: without an evaluation or a copy.
void lanner_state::take_text(Field& field, lanner_result& result) {
  field.text = document_.text_at(field.value->place);
  result = {.values = &field.text, .count = field.text != nullptr, .starts = nullptr, .sizes = nullptr};
}

bool lanner_state::extract_one(const Field& field, const lanner_event& event, const lanner_request& request, bool offsets,
                               lanner_result& result) {
  const Given given = to_given(field, request);
  if (field.needs_argument && std::holds_alternative<std::monostate>(given)) return true;
  if (!field.value) return call(field, event, given, result);
  const Value& value = *field.value;
  take(document_.read(value, given, arena_), field, result);
  if (offsets && result.count) {
    const auto spans = locate(value, document_, payload_of(event), given, result.count, arena_);
    auto* starts = scratch_.take<std::uint32_t>(result.count);
    auto* sizes = scratch_.take<std::uint32_t>(result.count);
    for (std::size_t i = 0; i < spans.size(); ++i) {
      starts[i] = spans[i].size ? spans[i].begin + LANNER_BLOCK_HEADER : 0;
      sizes[i] = spans[i].size;
    }
    result.starts = starts;
    result.sizes = sizes;
  }
  return true;
}

void lanner_state::take(const Result& value, const Field& field, lanner_result& result) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    const auto one = Scalar::of(*text);
    take({&one, 1}, field, result);
  } else if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    const auto one = Scalar::of(*number);
    take({&one, 1}, field, result);
  } else if (const auto* items = std::get_if<Items>(&value)) {
    take(*items, field, result);
  }
}

// Converts values of the field's type to the host's type.
void lanner_state::take(Items items, const Field& field, lanner_result& result) {
  // a string of the document or the arena ends with NUL unless it was cut
  const auto text_of = [&](std::string_view part) { return part.data()[part.size()] == 0 ? part.data() : scratch_.text(part); };
  const auto each = [&](auto* place, auto&& convert) {
    for (std::size_t at = 0; at < items.size(); ++at) place[at] = convert(items[at]);
    result.values = place;
    result.count = items.size();
  };
  switch (field.type) {
    case LANNER_STRING:
      return each(scratch_.take<const char*>(items.size()), [&](const Scalar& item) { return text_of(item.text); });
    case LANNER_BOOL:
      if (api != LANNER_API_3) {
        return each(scratch_.take<const char*>(items.size()), [](const Scalar& item) { return item.number ? "true" : "false"; });
      }
      return each(scratch_.take<std::uint32_t>(items.size()), [](const Scalar& item) { return std::uint32_t{item.number != 0}; });
    case LANNER_IPADDR:
    case LANNER_IPNET:
      if (api != LANNER_API_3) {
        return each(scratch_.take<const char*>(items.size()), [&](const Scalar& item) { return address_text(item.text, scratch_); });
      }
      return each(scratch_.take<lanner_buffer>(items.size()), [&](const Scalar& item) {
        return lanner_buffer{static_cast<std::uint32_t>(item.text.size()), scratch_.text(item.text)};
      });
    default:
      each(scratch_.take<std::uint64_t>(items.size()), [](const Scalar& item) { return item.number; });
  }
}
