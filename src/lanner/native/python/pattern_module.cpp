// The extension module lanner.native._pattern: RE2 for the patterns of lines, in a module for itself because only plugins with a pattern
// need it. The other modules get its functions from a capsule. See _pattern.pyi for its interface.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <re2/re2.h>

#include "python/extension.hpp"
#include "values/re2_engine.hpp"

namespace lanner {
namespace {

// group_names(expression) -> list of str
PyObject* group_names(PyObject*, PyObject* expression) {
  if (!PyBytes_Check(expression)) return PyErr_Format(PyExc_TypeError, "a pattern must be bytes, not %.100s", Py_TYPE(expression)->tp_name);
  const auto text = view_of(expression);
  try {
    const RE2 regex(re2::StringPiece(text.data(), text.size()), re2_options());
    if (!regex.ok()) {
      const Ref reason(Py_BuildValue("(y#y#)", regex.error().data(), static_cast<Py_ssize_t>(regex.error().size()),
                                     regex.error_arg().data(), static_cast<Py_ssize_t>(regex.error_arg().size())));
      if (reason) PyErr_SetObject(PyExc_ValueError, reason.get());
      return nullptr;
    }
    Ref names(PyList_New(0));
    if (!names) return nullptr;
    for (const auto& [number, name] : regex.CapturingGroupNames()) {
      const Ref each(PyUnicode_DecodeUTF8(name.data(), static_cast<Py_ssize_t>(name.size()), nullptr));
      if (!each || PyList_Append(names.get(), each.get()) < 0) return nullptr;
    }
    return names.release();
  } catch (...) {
    return failed();
  }
}

PyMethodDef methods[] = {
    {"group_names", group_names, METH_O,
     "group_names(expression: bytes) -> list[str]\n\n"
     "Return the names of an expression's groups, in order. Raises ValueError(reason, invalid part), as bytes."},
    {nullptr, nullptr, 0, nullptr},
};

int fill(PyObject* module) {
  Ref capsule(PyCapsule_New(const_cast<RegexEngine*>(&re2_engine), regex_engine_name, nullptr));
  return capsule ? PyModule_AddObjectRef(module, "engine", capsule.get()) : -1;
}

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(fill)}, {0, nullptr}};
PyModuleDef module = {PyModuleDef_HEAD_INIT, "_pattern", nullptr, 0, methods, slots, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace lanner

PyMODINIT_FUNC PyInit__pattern() { return PyModuleDef_Init(&lanner::module); }
