#include "bridge/runtime.hpp"

#include <dlfcn.h>
#include <lz4.h>
#include <marshal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <vector>

#include "loader/image.h"

namespace lanner {

namespace {

constexpr std::size_t size_bytes = 4;  // before the packed code of a module

// The modules that Python imports before its import path can be configured.
constexpr const char* needed_to_start[] = {"encodings", "encodings.aliases", "encodings.utf_8"};
constexpr const char* finder = "lanner.embedded.runtime";

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t result = 0;
  std::memcpy(&result, bytes.data() + at, size);  // zip files are little-endian, as are all machines that Lanner supports
  return result;
}

bool decompress(std::string_view packed, char* to, Py_ssize_t size) {
  return LZ4_decompress_safe(packed.data(), to, static_cast<int>(packed.size()), static_cast<int>(size)) == size;
}

// The files of an uncompressed zip file.
std::map<std::string_view, std::string_view> stored_files(std::string_view archive) {
  constexpr std::size_t header = 30;
  std::map<std::string_view, std::string_view> files;
  for (auto rest = archive; rest.size() >= header && rest.substr(0, 4) == "PK\3\4";) {
    const std::size_t size = number(rest, 18, 4), name_size = number(rest, 26, 2), extra = number(rest, 28, 2);
    if (rest.size() - header < name_size + extra + size) break;
    files[rest.substr(header, name_size)] = rest.substr(header + name_size + extra, size);
    rest.remove_prefix(header + name_size + extra + size);
  }
  return files;
}

// unpack(packed, size) -> bytes
PyObject* unpack(PyObject*, PyObject* arguments) {
  Py_buffer packed;
  Py_ssize_t size;
  if (!PyArg_ParseTuple(arguments, "y*n", &packed, &size)) return nullptr;
  PyObject* bytes = PyBytes_FromStringAndSize(nullptr, size);
  if (bytes && !decompress({static_cast<const char*>(packed.buf), static_cast<std::size_t>(packed.len)}, PyBytes_AS_STRING(bytes), size)) {
    Py_CLEAR(bytes);
    PyErr_SetString(PyExc_ImportError, "a module in this plugin is damaged. Copy the file again, or rebuild it: lanner build --bundle");
  }
  PyBuffer_Release(&packed);
  return bytes;
}

// stage(name, packed, size) -> (path, image): the path is valid as long as the capsule `image`.
PyObject* stage(PyObject*, PyObject* arguments) {
  const char* name;
  Py_buffer packed;
  Py_ssize_t size;
  if (!PyArg_ParseTuple(arguments, "sy*n", &name, &packed, &size)) return nullptr;
  auto image = std::make_unique<struct image>();
  char error[4096 + 512];
  const bool opened =
      image_open(image.get(), name, packed.buf, static_cast<std::size_t>(packed.len), static_cast<std::size_t>(size), error, sizeof error);
  PyBuffer_Release(&packed);
  if (!opened) {
    PyErr_SetString(PyExc_ImportError, error);
    return nullptr;
  }
  PyObject* capsule = PyCapsule_New(image.get(), nullptr, [](PyObject* of) {
    auto* const held = static_cast<struct image*>(PyCapsule_GetPointer(of, nullptr));
    image_close(held);
    delete held;
  });
  if (!capsule) {
    image_close(image.get());
    return nullptr;
  }
  return Py_BuildValue("(NN)", PyUnicode_DecodeFSDefault(image.release()->path), capsule);
}

// load(name, packed, size): loads a shared library, unless the process has one with that name.
PyObject* load(PyObject*, PyObject* arguments) {
  const char* name;
  Py_buffer packed;
  Py_ssize_t size;
  if (!PyArg_ParseTuple(arguments, "sy*n", &name, &packed, &size)) return nullptr;
  char error[4096 + 512];
  const bool loaded = image_load(name, packed.buf, static_cast<std::size_t>(packed.len), static_cast<std::size_t>(size),
                                 RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE, error, sizeof error);
  PyBuffer_Release(&packed);
  if (!loaded) {
    PyErr_SetString(PyExc_ImportError, error);
    return nullptr;
  }
  Py_RETURN_NONE;
}

// rest(archive): releases the memory of the mapped archive. A later read loads it from the file again.
PyObject* rest(PyObject*, PyObject* archive) {
  Py_buffer view;
  if (PyObject_GetBuffer(archive, &view, PyBUF_SIMPLE) < 0) return nullptr;
  char* const begin = static_cast<char*>(view.buf);
  const auto before = reinterpret_cast<std::uintptr_t>(begin) % static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  madvise(begin - before, before + static_cast<std::size_t>(view.len), MADV_DONTNEED);
  PyBuffer_Release(&view);
  Py_RETURN_NONE;
}

PyMethodDef functions[] = {{"unpack", unpack, METH_VARARGS, nullptr},
                           {"stage", stage, METH_VARARGS, nullptr},
                           {"load", load, METH_VARARGS, nullptr},
                           {"rest", rest, METH_O, nullptr}};

}  // namespace

Runtime::Runtime(const lanner_boot_request& request) : path_(request.path), natives_(request.natives) {
  const long long begin = request.archive_at - request.archive_at % sysconf(_SC_PAGESIZE);
  const std::size_t before = static_cast<std::size_t>(request.archive_at - begin);
  void* const mapped = mmap(nullptr, before + request.archive_size, PROT_READ, MAP_PRIVATE, request.descriptor, begin);
  if (mapped == MAP_FAILED) throw std::runtime_error("cannot map " + path_ + ": " + std::strerror(errno));
  archive_ = {static_cast<const char*>(mapped) + before, request.archive_size};
  files_ = stored_files(archive_);
}

std::string Runtime::code(const std::string& module) const {
  std::string name = "runtime/" + module;
  for (auto& letter : name) letter = letter == '.' ? '/' : letter;
  for (const char* end : {".code", "/__init__.code"}) {
    const auto found = files_.find(name + end);
    if (found == files_.end() || found->second.size() <= size_bytes) continue;
    std::string whole(number(found->second, 0, size_bytes), 0);
    if (decompress(found->second.substr(size_bytes), whole.data(), static_cast<Py_ssize_t>(whole.size()))) return whole;
  }
  throw std::runtime_error(path_ + " does not contain the module " + module + ". Build it again: lanner build --bundle");
}

void Runtime::freeze() const {
  auto* const table = new std::vector<struct _frozen>;  // Python keeps it, and the code
  auto* const codes = new std::deque<std::string>;
  for (const char* module : needed_to_start) {
    const auto& bytes = codes->emplace_back(code(module));
    struct _frozen entry = {};
    entry.name = module;
    entry.code = reinterpret_cast<const unsigned char*>(bytes.data());
    entry.size = static_cast<int>(bytes.size());
    entry.is_package = std::strchr(module, '.') ? 0 : 1;
    table->push_back(entry);
  }
  table->push_back({});
  PyImport_FrozenModules = table->data();
}

void Runtime::install() const {
  const auto bytes = code(finder);
  const Ref compiled = checked(PyMarshal_ReadObjectFromString(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
  const Ref globals = checked(PyDict_New());
  const Ref builtins = checked(PyImport_ImportModule("builtins"));
  const Ref name = checked(PyUnicode_FromString(finder));
  if (PyDict_SetItemString(globals.get(), "__builtins__", builtins.get()) < 0 ||
      PyDict_SetItemString(globals.get(), "__name__", name.get()) < 0)
    throw PythonError();
  checked(PyEval_EvalCode(compiled.get(), globals.get(), globals.get()));
  const Ref view =
      checked(PyMemoryView_FromMemory(const_cast<char*>(archive_.data()), static_cast<Py_ssize_t>(archive_.size()), PyBUF_READ));
  const Ref path = checked(PyUnicode_DecodeFSDefault(path_.c_str()));
  const Ref unpack_function = checked(PyCFunction_New(&functions[0], nullptr));
  const Ref stage_function = checked(PyCFunction_New(&functions[1], nullptr));
  const Ref load_function = checked(PyCFunction_New(&functions[2], nullptr));
  const Ref rest_function = checked(PyCFunction_New(&functions[3], nullptr));
  PyObject* const install = PyDict_GetItemString(globals.get(), "install");
  checked(PyObject_CallFunction(install, "OOsOOOO", path.get(), view.get(), natives_.c_str(), unpack_function.get(), stage_function.get(),
                                load_function.get(), rest_function.get()));
}

}  // namespace lanner
