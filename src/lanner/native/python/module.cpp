// The extension module lanner.native._native: the type Reader, and the C library's matchers that Falco uses.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/eventfd.h>

#include "bridge/log.hpp"
#include "python/dechunker.hpp"
#include "python/events.hpp"
#include "python/finisher.hpp"
#include "python/framer.hpp"
#include "python/host_reader.hpp"
#include "python/json.hpp"
#include "python/reader.hpp"
#include "python/slots.hpp"
#include "python/window.hpp"
#include "rules/c_locale.hpp"
#include "values/values.hpp"

#ifdef Py_GIL_DISABLED
#error "Lanner does not support free-threaded builds of Python yet: build it with a Python that has the GIL"
#endif

namespace {

// Whether a call has `count` arguments of which the first two are bytes; else false with a TypeError set.
bool has_texts(const char* name, PyObject* const* args, Py_ssize_t given, Py_ssize_t count) {
  if (given != count) {
    PyErr_Format(PyExc_TypeError, "%s takes %zd arguments, not %zd", name, count, given);
    return false;
  }
  for (Py_ssize_t place = 0; place < 2; ++place) {
    if (!PyBytes_Check(args[place])) {
      PyErr_Format(PyExc_TypeError, "%s matches bytes, not %.100s", name, Py_TYPE(args[place])->tp_name);
      return false;
    }
  }
  return true;
}

PyObject* py_fnmatch(PyObject*, PyObject* const* args, Py_ssize_t count) {
  if (!has_texts("fnmatch", args, count, 3)) return nullptr;
  const int casefold = PyObject_IsTrue(args[2]);
  if (casefold < 0) return nullptr;
  const lanner::CLocale locale;
  return PyBool_FromLong(fnmatch(PyBytes_AS_STRING(args[0]), PyBytes_AS_STRING(args[1]), casefold ? FNM_CASEFOLD : 0) == 0);
}

PyObject* py_casestr(PyObject*, PyObject* const* args, Py_ssize_t count) {
  if (!has_texts("casestr", args, count, 2)) return nullptr;
  const lanner::CLocale locale;
  return PyBool_FromLong(strcasestr(PyBytes_AS_STRING(args[0]), PyBytes_AS_STRING(args[1])) != nullptr);
}

// The GIL is kept: neither call waits, and giving it up would have another thread take it in the middle of what this one does.
PyObject* py_set_eventfd(PyObject*, PyObject* descriptor) {
  const int fd = PyObject_AsFileDescriptor(descriptor);
  if (fd < 0) return nullptr;
  if (eventfd_write(fd, 1) < 0 && errno != EAGAIN) return PyErr_SetFromErrno(PyExc_OSError);
  Py_RETURN_NONE;
}

PyObject* py_clear_eventfd(PyObject*, PyObject* descriptor) {
  const int fd = PyObject_AsFileDescriptor(descriptor);
  if (fd < 0) return nullptr;
  eventfd_t count;
  if (eventfd_read(fd, &count) < 0 && errno != EAGAIN) return PyErr_SetFromErrno(PyExc_OSError);
  Py_RETURN_NONE;
}

using FastCall = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t);
PyCFunction as_method(FastCall function) { return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)); }

PyMethodDef methods[] = {
    {"fnmatch", as_method(py_fnmatch), METH_FASTCALL,
     "fnmatch(pattern: bytes, text: bytes, casefold: bool) -> bool\n\n"
     "Return whether fnmatch(3) matches, with no flags or with FNM_CASEFOLD. Both end at their first NUL."},
    {"casestr", as_method(py_casestr), METH_FASTCALL,
     "casestr(haystack: bytes, needle: bytes) -> bool\n\nReturn whether strcasestr(3) finds the needle. Both end at their first NUL."},
    {"decode_json", lanner::py_decode_json, METH_O,
     "decode_json(text: bytes) -> object\n\n"
     "Return the value of a JSON text; of equal names the last counts. Raises `ValueError`, also for integers of more than 64 bits."},
    {"encode_json", lanner::py_encode_json, METH_O,
     "encode_json(value: object) -> bytes\n\nReturn str, int, bool, None, and lists, tuples and dicts of these, as JSON."},
    {"merge_events", lanner::py_merge_events, METH_O,
     "merge_events(parts: Sequence[Events]) -> Lines\n\nThe events as the host gets them."},
    {"set_eventfd", py_set_eventfd, METH_O,
     "set_eventfd(descriptor: int) -> None\n\nMake a non-blocking eventfd readable. Other threads do not run meanwhile."},
    {"clear_eventfd", py_clear_eventfd, METH_O,
     "clear_eventfd(descriptor: int) -> None\n\nMake a non-blocking eventfd unreadable. Other threads do not run meanwhile."},
    {"call_log", lanner::py_call_log, METH_VARARGS,
     "call_log(log: object, component: str, message: str, severity: int) -> bool\n\n"
     "Send a record to the log of a host, whose function is in `log`. Return False if the host is closed."},
    {nullptr, nullptr, 0, nullptr},
};

// Adds the names of the words on values. Tests compare them with lanner.sdk.payload.values.
int add_words(PyObject* module) {
  const lanner::Ref names(PyList_New(0));
  if (!names) return -1;
  for (const auto& word : lanner::words()) {
    const lanner::Ref name(PyUnicode_FromStringAndSize(word.name.data(), static_cast<Py_ssize_t>(word.name.size())));
    if (!name || PyList_Append(names.get(), name.get()) < 0) return -1;
  }
  return PyModule_AddObjectRef(module, "WORDS", names.get());
}

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(add_words)},
    {Py_mod_exec, reinterpret_cast<void*>(lanner::add_reader)},
    {Py_mod_exec, reinterpret_cast<void*>(lanner::add_lines)},
    {Py_mod_exec, reinterpret_cast<void*>(lanner::add_dechunker)},
    {Py_mod_exec, reinterpret_cast<void*>(lanner::add_events)},
    {Py_mod_exec, reinterpret_cast<void*>(lanner::add_finisher)},
    {Py_mod_exec, reinterpret_cast<void*>(lanner::add_window)},
    {Py_mod_exec, reinterpret_cast<void*>(lanner::add_host_reader)},
    {Py_mod_exec, reinterpret_cast<void*>(lanner::add_lazy_slot)},
    {0, nullptr},
};

PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native", nullptr, 0, methods, slots, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__native() { return PyModuleDef_Init(&module); }
