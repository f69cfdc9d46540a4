// Fields that are methods: calls of Python code, and conversion of its results to the host's values.
#include <cstring>
#include <iterator>

#include "bridge/state.hpp"
#include "bridge/threads.hpp"
#include "python/extension.hpp"
#include "python/slots.hpp"

using namespace lanner;

namespace {

// The UTF-8 of a str, with the original bytes for surrogate escapes; the object that contains it is kept.
const char* text_of(PyObject* value, std::vector<Ref>& kept) {
  if (const char* data = PyUnicode_AsUTF8(value)) {
    kept.push_back(Ref::borrowed(value));
    return data;
  }
  PyErr_Clear();
  Ref bytes = checked(PyUnicode_AsEncodedString(value, "utf-8", "surrogateescape"));
  const char* data = PyBytes_AS_STRING(bytes.get());
  kept.push_back(std::move(bytes));
  return data;
}

std::uint64_t number_of(PyObject* value) {
  const auto number = PyLong_AsUnsignedLongLong(value);
  if (number == static_cast<unsigned long long>(-1) && PyErr_Occurred()) throw PythonError();
  return number;
}

// Values that need no conversion. The Python side converts others to these (lanner.sdk.hosting.field_reader.normalise).
bool is_plain(PyObject* value, const Field& field) {
  if (field.is_list) return false;
  switch (field.type) {
    case LANNER_STRING:
      return PyUnicode_CheckExact(value);
    case LANNER_UINT64:
    case LANNER_RELTIME:
    case LANNER_ABSTIME: {
      int overflow = 0;
      return PyLong_CheckExact(value) && PyLong_AsLongLongAndOverflow(value, &overflow) >= 0 && !overflow;
    }
    case LANNER_BOOL:
      return PyBool_Check(value);
    default:
      return false;
  }
}

}  // namespace

// The Event object of this event, shared by all its fields. It copies its data, so that a stale object does no harm. Its slots are
// filled here: a call of its __init__ would cost several times as much, and check what is certain here.
PyObject* lanner_state::python_event(const lanner_event& event) {
  const auto size = static_cast<Py_ssize_t>(event.size);
  if (event_ && event_number_ == event.number && event_time_ == event.timestamp && PyBytes_GET_SIZE(event_payload_.get()) == size &&
      std::memcmp(PyBytes_AS_STRING(event_payload_.get()), event.payload, event.size) == 0)
    return event_.get();
  event_ = {};
  Ref payload = checked(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(event.payload), size));
  const Ref time = event.timestamp == UINT64_MAX ? Ref::borrowed(Py_None) : checked(PyLong_FromUnsignedLongLong(event.timestamp));
  const Ref number = checked(PyLong_FromUnsignedLongLong(event.number));
  if (event.source && (!source_ || source_text_ != event.source)) {
    source_ = checked(PyUnicode_DecodeUTF8(event.source, static_cast<Py_ssize_t>(std::strlen(event.source)), "replace"));
    source_text_ = event.source;
  }
  auto* const type = reinterpret_cast<PyTypeObject*>(event_type_.get());
  Ref made = checked(type->tp_alloc(type, 0));
  PyObject* const source = event.source ? source_.get() : own_source_.get();
  PyObject* const values[] = {payload.get(), time.get(), number.get(), source, Py_None};
  static_assert(std::size(values) == std::tuple_size_v<decltype(event_slots_)>);
  for (std::size_t place = 0; place < std::size(values); ++place) slot_at(made.get(), event_slots_[place]) = Py_NewRef(values[place]);
  event_ = std::move(made);
  event_payload_ = std::move(payload);
  event_number_ = event.number;
  event_time_ = event.timestamp;
  return event_.get();
}

bool lanner_state::call(const Field& field, const lanner_event& event, const Given& given, lanner_result& result) {
  const Gil gil;
  if (is_kept_stale_) kept_.clear();
  is_kept_stale_ = false;
  try {
    PyObject* names = nullptr;
    Ref argument;
    if (const auto* key = std::get_if<std::string_view>(&given)) {
      argument = checked(PyUnicode_DecodeUTF8(key->data(), static_cast<Py_ssize_t>(key->size()), "surrogateescape"));
      names = key_names_.get();
    } else if (const auto* index = std::get_if<std::uint64_t>(&given)) {
      argument = checked(PyLong_FromUnsignedLongLong(*index));
      names = index_names_.get();
    }
    PyObject* const arguments[] = {python_event(event), argument.get()};
    Ref value = checked(PyObject_Vectorcall(field.method.get(), arguments, 1, names));
    if (value.get() != Py_None && !is_plain(value.get(), field)) {
      PyObject* const pair[] = {value.get(), field.info.get()};
      value = checked(PyObject_Vectorcall(normalise_.get(), pair, 2, nullptr));
    }
    return value.get() == Py_None || take_object(value.get(), field, result);
  } catch (const PythonError&) {
    const Ref exception = take_exception();
    const Ref said(PyObject_CallMethod(host_.get(), "field_failed", "OO", field.info.get(), exception.get()));
    PyErr_Clear();
    result = {};
    if (!said || said.get() == Py_None) return true;
    if (const char* text = PyUnicode_AsUTF8(said.get())) error = text;
    PyErr_Clear();
    return false;
  }
}

// Converts a value of a FieldType to the host's type.
bool lanner_state::take_object(PyObject* value, const Field& field, lanner_result& result) {
  const bool is_list = PyTuple_Check(value);
  const auto count = is_list ? static_cast<std::size_t>(PyTuple_GET_SIZE(value)) : 1;
  const auto each = [&](auto* place, auto&& convert) {
    for (std::size_t i = 0; i < count; ++i) place[i] = convert(is_list ? PyTuple_GET_ITEM(value, static_cast<Py_ssize_t>(i)) : value);
    result.values = place;
    result.count = count;
  };
  switch (field.type) {
    case LANNER_STRING:
      each(scratch_.take<const char*>(count), [&](PyObject* item) { return text_of(item, kept_); });
      break;
    case LANNER_BOOL:
      if (api != LANNER_API_3) {
        each(scratch_.take<const char*>(count), [](PyObject* item) { return item == Py_True ? "true" : "false"; });
      } else {
        each(scratch_.take<std::uint32_t>(count), [](PyObject* item) { return std::uint32_t{item == Py_True}; });
      }
      break;
    case LANNER_IPADDR:
    case LANNER_IPNET:
      if (api != LANNER_API_3) {
        each(scratch_.take<const char*>(count), [&](PyObject* item) { return address_text(view_of(item), scratch_); });
      } else {
        each(scratch_.take<lanner_buffer>(count), [&](PyObject* item) {
          auto* copy = scratch_.take<char>(static_cast<std::size_t>(PyBytes_GET_SIZE(item)));
          std::memcpy(copy, PyBytes_AS_STRING(item), static_cast<std::size_t>(PyBytes_GET_SIZE(item)));
          return lanner_buffer{static_cast<std::uint32_t>(PyBytes_GET_SIZE(item)), copy};
        });
      }
      break;
    default:
      each(scratch_.take<std::uint64_t>(count), number_of);
  }
  return true;
}

const char* lanner_state::event_to_string(const lanner_event& event) {
  text_.clear();
  const Gil gil;
  try {
    const Ref text = checked(PyObject_CallMethod(host_.get(), "event_to_string", "O", python_event(event)));
    const Ref bytes = checked(PyUnicode_AsEncodedString(text.get(), "utf-8", "surrogateescape"));
    return text_.text({PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get()))});
  } catch (const PythonError&) {
    failed("event_to_string");
    return "";
  }
}

const char* lanner_state::list_open_params() {
  const Gil gil;
  try {
    params_ = to_string(checked(PyObject_CallMethod(host_.get(), "list_open_params", nullptr)).get());
    return params_.c_str();
  } catch (const PythonError&) {
    failed("list_open_params");
    return nullptr;
  }
}
