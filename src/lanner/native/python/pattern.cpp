// The extension module lanner.native._pattern: RE2 for the patterns of lines, in a module for itself because only plugins with a pattern
// need it. The other modules get its functions from a capsule. See _pattern.pyi for its interface.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <re2/re2.h>

#include "python/extension.hpp"
#include "values/pattern.hpp"

namespace lanner {
namespace {

// As lanner.sdk.patterns
RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);
  return options;
}

void say(char* error, std::size_t size, const char* text) { std::snprintf(error, size, "%s", text); }

void* compile(const char* expression, std::size_t size, char* error, std::size_t error_size) {
  try {
    auto regex = std::make_unique<RE2>(re2::StringPiece(expression, size), options());
    if (regex->ok()) return regex.release();
    say(error, error_size, regex->error().c_str());
  } catch (const std::exception& problem) {
    say(error, error_size, problem.what());
  }
  return nullptr;
}

void release(void* regex) { delete static_cast<RE2*>(regex); }

std::size_t group(const void* regex, const char* name, std::size_t size) {
  const auto& groups = static_cast<const RE2*>(regex)->NamedCapturingGroups();
  const auto found = groups.find(std::string(name, size));
  return found == groups.end() ? 0 : static_cast<std::size_t>(found->second);
}

bool match(const void* regex, const char* text, std::size_t size, RegexGroup* groups, std::size_t count) {
  constexpr std::size_t few = 32;
  re2::StringPiece pieces[few];
  std::unique_ptr<re2::StringPiece[]> more(count > few ? new (std::nothrow) re2::StringPiece[count] : nullptr);
  if (count > few && !more) return false;
  auto* const found = more ? more.get() : pieces;
  const auto& re2 = *static_cast<const RE2*>(regex);
  if (!re2.Match(re2::StringPiece(text, size), 0, size, RE2::ANCHOR_BOTH, found, static_cast<int>(count))) return false;
  for (std::size_t number = 0; number < count; ++number) groups[number] = {found[number].data(), found[number].size()};
  return true;
}

const RegexEngine engine{compile, release, group, match};

// group_names(expression) -> list of str
PyObject* group_names(PyObject*, PyObject* expression) {
  if (!PyBytes_Check(expression)) return PyErr_Format(PyExc_TypeError, "a pattern must be bytes, not %.100s", Py_TYPE(expression)->tp_name);
  const auto text = view_of(expression);
  try {
    const RE2 regex(re2::StringPiece(text.data(), text.size()), options());
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
  Ref capsule(PyCapsule_New(const_cast<RegexEngine*>(&engine), regex_engine_name, nullptr));
  return capsule ? PyModule_AddObjectRef(module, "engine", capsule.get()) : -1;
}

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(fill)}, {0, nullptr}};
PyModuleDef module = {PyModuleDef_HEAD_INIT, "_pattern", nullptr, 0, methods, slots, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace lanner

PyMODINIT_FUNC PyInit__pattern() { return PyModuleDef_Init(&lanner::module); }
