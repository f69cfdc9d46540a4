#include "bridge/log.hpp"

namespace lanner {
namespace {
constexpr const char* capsule_name = "lanner.log";
constexpr const char* gone_name = "lanner.log of a closed host";
}  // namespace

HostLog::HostLog(lanner_log log, void* owner) {
  if (!log) {
    object_ = Ref::borrowed(Py_None);
    return;
  }
  object_ = checked(PyCapsule_New(reinterpret_cast<void*>(log), capsule_name, nullptr));
  if (PyCapsule_SetContext(object_.get(), owner) < 0) throw PythonError();
}

HostLog::~HostLog() {
  if (PyCapsule_CheckExact(object_.get())) PyCapsule_SetName(object_.get(), gone_name);
}

PyObject* py_call_log(PyObject*, PyObject* args) {
  PyObject* capsule;
  const char *component, *message;
  int severity;
  if (!PyArg_ParseTuple(args, "Ossi:call_log", &capsule, &component, &message, &severity)) return nullptr;
  if (PyCapsule_IsValid(capsule, gone_name)) Py_RETURN_FALSE;
  auto* function = reinterpret_cast<lanner_log>(PyCapsule_GetPointer(capsule, capsule_name));
  if (!function) return nullptr;
  function(PyCapsule_GetContext(capsule), component, message, severity);
  Py_RETURN_TRUE;
}

}  // namespace lanner
