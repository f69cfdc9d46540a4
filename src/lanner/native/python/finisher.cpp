#include "python/finisher.hpp"

#include <memory>

#include "python/events.hpp"
#include "python/extension.hpp"

namespace lanner {
namespace {

PyTypeObject* finisher_type;

PyObject* finisher_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"name", nullptr};
  const char* name;
  Py_ssize_t size;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y#:Finisher", const_cast<char**>(names), &name, &size)) return nullptr;
  try {
    return hold(type, std::make_unique<Finisher>(std::string_view(name, static_cast<std::size_t>(size))));
  } catch (...) {
    return failed();
  }
}

PyObject* finisher_finish(PyObject* self, PyObject* events) {
  if (!is_events(events)) return PyErr_Format(PyExc_TypeError, "finish takes Events, not %.100s", Py_TYPE(events)->tp_name);
  try {
    std::size_t forged = 0;
    for (auto& event : list_of(events)) forged += content_of<Finisher>(self).finish(event);
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
  if (!is_events(events)) return PyErr_Format(PyExc_TypeError, "describe takes an event of Events, not %.100s", Py_TYPE(events)->tp_name);
  auto* event = event_at(events, place);
  if (!event) return nullptr;
  try {
    content_of<Finisher>(self).describe(*event, {text, static_cast<std::size_t>(size)});
  } catch (...) {
    return failed();
  }
  Py_RETURN_NONE;
}

PyMethodDef finisher_methods[] = {
    {"describe", finisher_describe, METH_VARARGS,
     "describe(events: Events, place: int, container: bytes)\n\nAdd to one of the events JSON text about its container."},
    {"finish", finisher_finish, METH_O,
     "finish(events: Events) -> int\n\nAdd to each event what Lanner knows. Returns how many had their own member \"lanner\"."},
    {nullptr, nullptr, 0, nullptr},
};
PyType_Slot finisher_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(finisher_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(drop<Finisher>)},
    {Py_tp_methods, finisher_methods},
    {Py_tp_doc,
     const_cast<char*>("Finisher(name: bytes)\n\nAdds the member \"lanner\". `name` is the member \"host\" in it as JSON text, or empty.")},
    {0, nullptr},
};
PyType_Spec finisher_spec = {"lanner.native.Finisher", sizeof(Holder<Finisher>), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                             finisher_slots};

}  // namespace

Finisher* as_finisher(PyObject* object) { return Py_TYPE(object) == finisher_type ? &content_of<Finisher>(object) : nullptr; }

int add_finisher(PyObject* module) { return add_type(module, finisher_spec, "Finisher", &finisher_type); }

}  // namespace lanner
