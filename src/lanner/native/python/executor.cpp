// The extension module lanner.native._executor: runs a program on batches of payloads. See _executor.pyi for its interface.
#include <functional>
#include <memory>

#include "python/extension.hpp"
#include "python/framer.hpp"
#include "python/hits.hpp"
#include "python/program_read.hpp"
#include "python/table.hpp"
#include "rules/c_locale.hpp"
#include "rules/machine.hpp"
#include "rules/transforms.hpp"

namespace lanner {
namespace {

struct ExecutorState {
  ExecutorState(std::shared_ptr<const Program> shared, bool is_first)
      : program(std::move(shared)), first(is_first), machine(*program, is_first) {}

  const std::shared_ptr<const Program> program;
  const bool first;
  Machine machine;
  std::vector<Hit> hits;
  KeptValues kept;
  std::vector<std::string_view> payloads;
  bool is_running = false;
};

AsLines lines_of;  // from the module _native, which has the type

PyObject* make(PyTypeObject* type, std::shared_ptr<const Program> program, bool first) {
  return hold(type, std::make_unique<ExecutorState>(std::move(program), first));
}

PyObject* executor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"program", "first", nullptr};
  PyObject* object;
  int first;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Op:Executor", const_cast<char**>(names), &object, &first)) return nullptr;
  try {
    auto program = std::make_shared<Program>();
    if (!to_program(object, *program)) return nullptr;
    return make(type, std::move(program), first != 0);
  } catch (...) {
    return failed();
  }
}

PyObject* executor_copy(PyObject* self, PyObject*) {
  const auto& state = content_of<ExecutorState>(self);
  try {
    return make(Py_TYPE(self), state.program, state.first);
  } catch (...) {
    return failed();
  }
}

// A number or None; false with an error set for anything else
bool to_optional(PyObject* object, bool& has, std::uint64_t& number) {
  has = object != Py_None;
  if (!has) return true;
  number = PyLong_AsUnsignedLongLong(object);
  return !PyErr_Occurred();
}

struct Outcome {
  std::size_t not_json = 0;
  std::size_t invalid_utf8 = 0;
  bool has_time = false;
  std::uint64_t time = 0;
  bool has_first = false;
  std::uint64_t first = 0;
};

// The times of events without their own
struct Times {
  std::vector<std::uint64_t> given;  // from the source, by event; empty if it gives none
  std::vector<bool> is_given;
  bool has_fallback = false;
  std::uint64_t fallback = 0;
  bool carries = false;  // the fallback is the time of the previous event
};

// Whether simdjson may read past the payload's end, because the chunk continues there
bool has_room_behind(std::string_view payload, std::string_view chunk) {
  const auto before = std::less<>();
  if (before(payload.data(), chunk.data()) || before(chunk.data() + chunk.size(), payload.data() + payload.size())) return false;
  return static_cast<std::size_t>(chunk.data() + chunk.size() - (payload.data() + payload.size())) >= lanner::Document::padding;
}

Outcome run(ExecutorState& state, std::size_t count, std::string_view chunk, std::uint64_t place, Times& times, Outcome outcome) {
  const CLocale locale;
  auto& machine = state.machine;
  for (std::size_t number = 0; number < count; ++number) {
    const auto payload = state.payloads[number];
    const bool is_padded = has_room_behind(payload, chunk);
    const bool valid = machine.load(payload, is_padded);
    outcome.not_json += !valid;
    outcome.invalid_utf8 += machine.has_invalid_utf8();
    EventInfo info;
    info.place = ++place;
    info.has_time = valid && machine.own_time(info.time);
    if (!info.has_time && !times.given.empty() && times.is_given[number]) {
      info.has_time = true;
      info.time = times.given[number];
    }
    if (!info.has_time) {
      info.has_time = times.carries ? outcome.has_time : times.has_fallback;
      info.time = times.carries ? outcome.time : times.fallback;
    }
    if (!outcome.has_first) {
      outcome.has_first = info.has_time;
      outcome.first = info.time;
    }
    info.has_first = outcome.has_first;
    info.first = outcome.first;
    outcome.has_time = info.has_time;
    outcome.time = info.time;
    machine.match(info, number, state.hits, state.kept);
  }
  return outcome;
}

bool to_times(PyObject* object, std::size_t count, Times& times) {
  if (object == Py_None) return true;
  if (!PyList_Check(object) || static_cast<std::size_t>(PyList_GET_SIZE(object)) < count) {
    PyErr_SetString(PyExc_TypeError, "timestamps must be a list with one for each payload, or None");
    return false;
  }
  times.given.resize(count);
  times.is_given.resize(count);
  for (std::size_t place = 0; place < count; ++place) {
    bool has;
    if (!to_optional(PyList_GET_ITEM(object, static_cast<Py_ssize_t>(place)), has, times.given[place])) return false;
    times.is_given[place] = has;
  }
  return true;
}

// The payloads as they lie in memory, and the chunk that they are parts of, if they are; the result keeps them there. Raises PythonError.
Ref to_payloads(PyObject* object, std::vector<std::string_view>& payloads, std::string_view& chunk) {
  payloads.clear();
  if (const auto* lines = lines_of(object)) {
    chunk = lines->chunk();
    for (std::size_t place = 0; place < lines->size(); ++place) payloads.push_back(lines->at(place));
    return Ref::borrowed(object);
  }
  Ref kept = checked(PySequence_Tuple(object));
  for (Py_ssize_t place = 0; place < PyTuple_GET_SIZE(kept.get()); ++place) {
    PyObject* payload = PyTuple_GET_ITEM(kept.get(), place);
    if (!PyBytes_Check(payload)) {
      PyErr_Format(PyExc_TypeError, "a payload must be bytes, not %.100s", Py_TYPE(payload)->tp_name);
      throw PythonError();
    }
    payloads.push_back(view_of(payload));
  }
  return kept;
}

PyObject* executor_run(PyObject* self, PyObject* args) {
  PyObject* object;
  PyObject* given;
  PyObject* before;
  PyObject* first;
  PyObject* now;
  unsigned long long place;
  if (!PyArg_ParseTuple(args, "OOKOOO:run", &object, &given, &place, &before, &first, &now)) return nullptr;
  auto& state = content_of<ExecutorState>(self);
  if (state.is_running) {
    PyErr_SetString(PyExc_RuntimeError, "an Executor cannot run in two threads at a time: use copy()");
    return nullptr;
  }
  try {
    std::string_view chunk;
    Outcome outcome;
    Times times;
    const Ref kept = to_payloads(object, state.payloads, chunk);
    times.carries = now == Py_None;
    if (!to_times(given, state.payloads.size(), times) || !to_optional(before, outcome.has_time, outcome.time) ||
        !to_optional(first, outcome.has_first, outcome.first) || !to_optional(now, times.has_fallback, times.fallback)) {
      return nullptr;
    }
    state.hits.clear();
    state.kept.clear();
    state.is_running = true;
    std::exception_ptr error;
    Py_BEGIN_ALLOW_THREADS try { outcome = run(state, state.payloads.size(), chunk, place, times, outcome); } catch (...) {
      error = std::current_exception();
    }
    Py_END_ALLOW_THREADS state.is_running = false;
    if (error) std::rethrow_exception(error);
    return Py_BuildValue("(NnnNN)", to_hits(state.hits, state.kept, *state.program), static_cast<Py_ssize_t>(outcome.not_json),
                         static_cast<Py_ssize_t>(outcome.invalid_utf8), from_optional(outcome.has_time, outcome.time),
                         from_optional(outcome.has_first, outcome.first));
  } catch (...) {
    return failed();
  }
}

// A value read by Python; false with an error set for an invalid one
bool to_scalar(PyObject* object, Scalar& scalar) {
  if (PyBytes_Check(object)) {
    scalar = Scalar::of(view_of(object));
    return true;
  }
  if (!PyLong_Check(object)) {
    PyErr_Format(PyExc_TypeError, "a value must be bytes or a number, not %.100s", Py_TYPE(object)->tp_name);
    return false;
  }
  scalar = Scalar::of(static_cast<std::uint64_t>(PyLong_AsUnsignedLongLong(object)));
  return !PyErr_Occurred();
}

bool to_cell(PyObject* object, Cell& cell) {
  cell.state = object == Py_None ? Cell::State::absent : object == Py_Ellipsis ? Cell::State::open : Cell::State::scalar;
  if (cell.state != Cell::State::scalar) return true;
  if (!PyTuple_Check(object)) return to_scalar(object, cell.scalar);
  cell.state = Cell::State::list;
  cell.list.clear();
  for (Py_ssize_t place = 0; place < PyTuple_GET_SIZE(object); ++place) {
    cell.list.emplace_back();
    if (!to_scalar(PyTuple_GET_ITEM(object, place), cell.list.back())) return false;
  }
  return true;
}

PyObject* executor_match(PyObject* self, PyObject* values) {
  auto& state = content_of<ExecutorState>(self);
  if (!PyTuple_Check(values) || static_cast<std::size_t>(PyTuple_GET_SIZE(values)) != state.program->slots.size()) {
    return PyErr_Format(PyExc_TypeError, "match takes a tuple with a value for each of %zu slots", state.program->slots.size());
  }
  if (state.is_running) return PyErr_Format(PyExc_RuntimeError, "an Executor cannot run in two threads at a time: use copy()");
  try {
    const CLocale locale;
    state.hits.clear();
    state.kept.clear();
    state.machine.load({}, false);
    for (Py_ssize_t slot = 0; slot < PyTuple_GET_SIZE(values); ++slot) {
      if (!to_cell(PyTuple_GET_ITEM(values, slot), state.machine.given(static_cast<std::size_t>(slot)))) return nullptr;
    }
    state.machine.match({}, 0, state.hits, state.kept);
    return to_hits(state.hits, state.kept, *state.program);
  } catch (...) {
    return failed();
  }
}

PyObject* executor_misfits(PyObject* self, PyObject*) {
  try {
    return to_misfits(content_of<ExecutorState>(self).machine.misfits());
  } catch (...) {
    return failed();
  }
}

PyObject* executor_evaluated(PyObject* self, PyObject*) {
  return PyLong_FromUnsignedLongLong(content_of<ExecutorState>(self).machine.evaluated());
}

PyMethodDef executor_methods[] = {
    {"copy", executor_copy, METH_NOARGS, "copy() -> Executor\n\nReturn another executor of the same program, for another thread."},
    {"run", executor_run, METH_VARARGS,
     "run(payloads, timestamps, number, before, first, now) -> (hits, not_json, invalid_utf8, last, first)\n\n"
     "Return the rules that match each payload, without the GIL: hits are (place, rule, sure, time, values)."},
    {"match", executor_match, METH_O,
     "match(values) -> hits\n\nReturn the rules that match an event with the given values, by slot: bytes, a number, a tuple of these, "
     "None, or ... for an unknown one."},
    {"misfits", executor_misfits, METH_NOARGS,
     "misfits() -> list[dict[str, int]]\n\nReturn for each tree how often a value had another type than its field, by its JSON type."},
    {"evaluated", executor_evaluated, METH_NOARGS,
     "evaluated() -> int\n\nReturn how many rules were evaluated for all events so far: those that the index found."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot executor_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(executor_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(drop<ExecutorState>)},
    {Py_tp_methods, executor_methods},
    {Py_tp_doc,
     const_cast<char*>("Executor(program, first: bool)\n\nRuns a program of lanner.rules.plan.native_program on batches of payloads. "
                       "For one thread at a time.")},
    {0, nullptr},
};

PyType_Spec executor_spec = {"lanner.native._executor.Executor", sizeof(Holder<ExecutorState>), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, executor_slots};

// Adds the names of the operators, and the transformers as (name, least and most operands or None). Tests compare them with the
// vocabulary.
int add_words(PyObject* module) {
  const auto add = [&](const char* name, const auto& words, auto&& make) {
    const Ref list = checked(PyList_New(0));
    for (const auto& word : words) {
      const Ref item = checked(make(word));
      if (PyList_Append(list.get(), item.get()) < 0) throw PythonError();
    }
    if (PyModule_AddObjectRef(module, name, list.get()) < 0) throw PythonError();
  };
  try {
    add("OPERATORS", operator_names(),
        [](std::string_view name) { return PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size())); });
    add("TRANSFORMERS", transformers(), [](const Transformer& each) {
      const auto size = static_cast<Py_ssize_t>(each.name.size());
      if (each.most == Transformer::any) return Py_BuildValue("(s#nO)", each.name.data(), size, each.least, Py_None);
      return Py_BuildValue("(s#nn)", each.name.data(), size, each.least, each.most);
    });
    return 0;
  } catch (...) {
    failed();
    return -1;
  }
}

int fill(PyObject* module) {
  lines_of = reinterpret_cast<AsLines>(PyCapsule_Import(as_lines_name, 0));
  return lines_of && add_type(module, executor_spec, "Executor") == 0 ? add_words(module) : -1;
}

PyModuleDef_Slot module_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(fill)}, {0, nullptr}};
PyModuleDef module = {PyModuleDef_HEAD_INIT, "_executor", nullptr, 0, nullptr, module_slots, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace lanner

PyMODINIT_FUNC PyInit__executor() { return PyModuleDef_Init(&lanner::module); }
