// The extension module lanner.native._native.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <fnmatch.h>
#include <locale.h>

#include "reader.hpp"

namespace {

// Falco never calls setlocale, so that fnmatch sees bytes there: `?` is one byte. Python does call it.
locale_t c_locale() {
  static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
  return locale;
}

PyObject* py_fnmatch(PyObject*, PyObject* args) {
  const char* pattern;
  const char* text;
  int casefold;
  if (!PyArg_ParseTuple(args, "yyp", &pattern, &text, &casefold)) return nullptr;
  const locale_t before = uselocale(c_locale());
  const bool matches = fnmatch(pattern, text, casefold ? FNM_CASEFOLD : 0) == 0;
  uselocale(before);
  return PyBool_FromLong(matches);
}

PyMethodDef methods[] = {
    {"fnmatch", py_fnmatch, METH_VARARGS, "fnmatch(pattern: bytes, text: bytes, casefold: bool) -> bool"},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(lanner::add_reader)},
    {0, nullptr},
};

PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native", nullptr, 0, methods, slots, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__native() { return PyModuleDef_Init(&module); }
