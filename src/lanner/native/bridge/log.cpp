#include "log.hpp"

namespace lanner {
namespace {
constexpr const char* capsule_name = "lanner.log";
}

Ref log_capsule(lanner_log log, void* owner) {
  Ref capsule = checked(PyCapsule_New(reinterpret_cast<void*>(log), capsule_name, nullptr));
  if (PyCapsule_SetContext(capsule.get(), owner) < 0) throw PythonError();
  return capsule;
}

PyObject* py_call_log(PyObject*, PyObject* args) {
  PyObject* capsule;
  const char *component, *message;
  int severity;
  if (!PyArg_ParseTuple(args, "Ossi:call_log", &capsule, &component, &message, &severity)) return nullptr;
  auto* function = reinterpret_cast<lanner_log>(PyCapsule_GetPointer(capsule, capsule_name));
  if (!function) return nullptr;
  function(PyCapsule_GetContext(capsule), component, message, severity);
  Py_RETURN_NONE;
}

}  // namespace lanner
