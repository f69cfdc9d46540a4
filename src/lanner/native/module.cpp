// The extension module lanner.native._native.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <fnmatch.h>

namespace {

PyObject* py_fnmatch(PyObject*, PyObject* args) {
  const char* pattern;
  const char* text;
  int casefold;
  if (!PyArg_ParseTuple(args, "yyp", &pattern, &text, &casefold)) return nullptr;
  return PyBool_FromLong(fnmatch(pattern, text, casefold ? FNM_CASEFOLD : 0) == 0);
}

PyMethodDef methods[] = {
    {"fnmatch", py_fnmatch, METH_VARARGS, "fnmatch(pattern: bytes, text: bytes, casefold: bool) -> bool"},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__native() { return PyModule_Create(&module); }
