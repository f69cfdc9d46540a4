#include "bridge/python.hpp"

namespace lanner {

Ref take_exception() {
#if PY_VERSION_HEX >= 0x030C0000
  return Ref(PyErr_GetRaisedException());
#else
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (value && traceback) PyException_SetTraceback(value, traceback);
  const Ref ignored_type(type), ignored_traceback(traceback);
  return Ref(value);
#endif
}

std::string describe(PyObject* exception) {
  if (!exception) return "unknown error";
  std::string result;
  const Ref text(PyObject_Str(exception));
  Py_ssize_t size;
  const char* data = text ? PyUnicode_AsUTF8AndSize(text.get(), &size) : nullptr;
  if (data) result.assign(data, static_cast<std::size_t>(size));
  PyErr_Clear();
  const Ref module(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(exception)), "__module__"));
  const char* home = module && PyUnicode_Check(module.get()) ? PyUnicode_AsUTF8(module.get()) : nullptr;
  PyErr_Clear();
  const bool is_ours = home && std::string_view(home) == "lanner.sdk.errors";
  return is_ours && !result.empty() ? result : std::string(Py_TYPE(exception)->tp_name) + (result.empty() ? "" : ": " + result);
}

std::string to_string(PyObject* text) {
  Py_ssize_t size;
  const char* data = PyUnicode_AsUTF8AndSize(text, &size);
  if (!data) throw PythonError();
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace lanner
