#include "python/finisher.hpp"

#include <memory>

#include "python/events.hpp"
#include "python/extension.hpp"

namespace lanner {
namespace {

struct FinisherObject {
  PyObject_HEAD Finisher* finisher;
};

PyObject* finisher_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"name", nullptr};
  const char* name;
  Py_ssize_t size;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y#:Finisher", const_cast<char**>(names), &name, &size)) return nullptr;
  try {
    auto finisher = std::make_unique<Finisher>(std::string_view(name, static_cast<std::size_t>(size)));
    auto* self = reinterpret_cast<FinisherObject*>(type->tp_alloc(type, 0));
    if (self) self->finisher = finisher.release();
    return reinterpret_cast<PyObject*>(self);
  } catch (...) {
    return failed();
  }
}

void finisher_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<FinisherObject*>(self)->finisher;
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* finisher_finish(PyObject* self, PyObject* events) {
  if (!is_events(events)) return PyErr_Format(PyExc_TypeError, "finish takes Events, not %.100s", Py_TYPE(events)->tp_name);
  try {
    std::size_t forged = 0;
    for (auto& event : list_of(events)) forged += reinterpret_cast<FinisherObject*>(self)->finisher->finish(event);
    return PyLong_FromSize_t(forged);
  } catch (...) {
    return failed();
  }
}

PyObject* finisher_describe(PyObject* self, PyObject* args) {
  PyObject* events;
  Py_ssize_t place, size;
  const char* text;
  if (!PyArg_ParseTuple(args, "Ony#:describe", &events, &place, &text, &size)) return nullptr;
  if (!is_events(events)) return PyErr_Format(PyExc_TypeError, "describe takes Events, not %.100s", Py_TYPE(events)->tp_name);
  auto* event = event_at(events, place);
  if (!event) return nullptr;
  try {
    reinterpret_cast<FinisherObject*>(self)->finisher->describe(*event, {text, static_cast<std::size_t>(size)});
  } catch (...) {
    return failed();
  }
  Py_RETURN_NONE;
}

PyMethodDef methods[] = {
    {"describe", finisher_describe, METH_VARARGS,
     "describe(events: Events, place: int, container: bytes)\n\nAdd JSON text about its container to one of the events."},
    {"finish", finisher_finish, METH_O,
     "finish(events: Events) -> int\n\nAdd Lanner's information to each event. Return how many had their own member \"lanner\"."},
    {nullptr, nullptr, 0, nullptr},
};
PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(finisher_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(finisher_dealloc)},
    {Py_tp_methods, methods},
    {Py_tp_doc,
     const_cast<char*>("Finisher(name: bytes)\n\nAdds the member \"lanner\". `name` is the member \"host\" in it as JSON text, or empty.")},
    {0, nullptr},
};
PyType_Spec spec = {"lanner.native.Finisher", sizeof(FinisherObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace

int add_finisher(PyObject* module) { return add_type(module, spec, "Finisher"); }

}  // namespace lanner
