#include "chunked.hpp"

#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

namespace lanner {
namespace {

constexpr std::size_t longest_size_line = 4096;

// Gives the bytes of the body to `out`; `error` is set where the chunks are broken.
class Decoder {
 public:
  // Writes at most data.size() bytes to `out`; how many. `error` is not null where the chunks are broken.
  std::size_t feed(std::string_view data, char* out) {
    char* const begin = out;
    while (!data.empty() && !ended && error.empty()) {
      if (left_) {
        const auto size = data.size() < left_ ? data.size() : static_cast<std::size_t>(left_);
        std::memcpy(out, data.data(), size);
        out += size;
        data.remove_prefix(size);
        left_ -= size;
        expects_line_end_ = !left_;
        continue;
      }
      const auto end = data.find('\n');
      const auto part = data.substr(0, end);
      if (line_.size() + part.size() > longest_size_line) {
        error = "a chunk's size line is too long";
        break;
      }
      if (end == std::string_view::npos) {
        line_.append(part);
        break;
      }
      data.remove_prefix(end + 1);
      if (line_.empty()) {
        take(part);
      } else {
        line_.append(part);
        const std::string whole = std::move(line_);
        line_.clear();
        take(whole);
      }
    }
    return static_cast<std::size_t>(out - begin);
  }

  bool ended = false;
  std::string error;

 private:
  void take(std::string_view line) {
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (expects_line_end_) {
      expects_line_end_ = false;
      if (!line.empty()) error = "a chunk is followed by '" + printable(line) + "' instead of a line end";
    } else if (in_trailer_) {
      ended = line.empty();
    } else {
      take_size(line);
    }
  }

  void take_size(std::string_view line) {
    auto digits = line.substr(0, line.find(';'));
    while (!digits.empty() && is_blank(digits.front())) digits.remove_prefix(1);
    while (!digits.empty() && is_blank(digits.back())) digits.remove_suffix(1);
    std::uint64_t size = 0;
    for (const char c : digits) {
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0 || digits.size() > 15) {
        size = UINT64_MAX;
        break;
      }
      size = size * 16 + static_cast<std::uint64_t>(digit);
    }
    if (digits.empty() || size == UINT64_MAX) {
      error = "'" + printable(digits) + "' is no chunk size";
      return;
    }
    left_ = size;
    in_trailer_ = size == 0;
  }

  static bool is_blank(char c) { return c == ' ' || c == '\t'; }

  static std::string printable(std::string_view text) {
    std::string result;
    for (const char c : text.substr(0, 20)) result += c >= ' ' && c <= '~' ? c : '?';
    return result;
  }

  std::uint64_t left_ = 0;  // bytes of the current chunk that are still to come
  bool expects_line_end_ = false;
  bool in_trailer_ = false;
  std::string line_;  // the beginning of a line that is not whole yet
};

struct Dechunker {
  PyObject_HEAD
  Decoder* decoder;
};

PyObject* dechunker_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":Dechunker", const_cast<char**>(names))) return nullptr;
  auto* self = reinterpret_cast<Dechunker*>(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  self->decoder = new (std::nothrow) Decoder;
  if (!self->decoder) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  return reinterpret_cast<PyObject*>(self);
}

void dechunker_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<Dechunker*>(self)->decoder;
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* dechunker_feed(PyObject* self, PyObject* chunk) {
  if (!PyBytes_Check(chunk)) return PyErr_Format(PyExc_TypeError, "what came is bytes, not %.100s", Py_TYPE(chunk)->tp_name);
  auto& decoder = *reinterpret_cast<Dechunker*>(self)->decoder;
  const std::string_view data(PyBytes_AS_STRING(chunk), static_cast<std::size_t>(PyBytes_GET_SIZE(chunk)));
  PyObject* out = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(data.size()));
  if (!out) return nullptr;
  std::size_t size = 0;
  try {
    size = decoder.feed(data, PyBytes_AS_STRING(out));
  } catch (const std::bad_alloc&) {
    Py_DECREF(out);
    return PyErr_NoMemory();
  }
  if (!decoder.error.empty()) {
    Py_DECREF(out);
    PyErr_SetString(PyExc_ValueError, decoder.error.c_str());
    return nullptr;
  }
  if (_PyBytes_Resize(&out, static_cast<Py_ssize_t>(size)) < 0) return nullptr;
  return out;
}

PyObject* dechunker_ended(PyObject* self, void*) { return PyBool_FromLong(reinterpret_cast<Dechunker*>(self)->decoder->ended); }

PyMethodDef methods[] = {
    {"feed", dechunker_feed, METH_O, "feed(data: bytes) -> bytes\n\nThe bytes of the body in `data`. Raises `ValueError` where the chunks are broken."},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef attributes[] = {
    {"ended", dechunker_ended, nullptr, "Whether the last chunk and the trailer have come: what follows is not of this body.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(dechunker_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(dechunker_dealloc)},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {Py_tp_doc, const_cast<char*>("Dechunker()\n\nDecodes the body of one HTTP response in the chunked transfer coding.")},
    {0, nullptr},
};
PyType_Spec spec = {"lanner.native.Dechunker", sizeof(Dechunker), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace

int add_dechunker(PyObject* module) {
  PyObject* type = PyType_FromModuleAndSpec(module, &spec, nullptr);
  if (!type) return -1;
  const int result = PyModule_AddObjectRef(module, "Dechunker", type);
  Py_DECREF(type);
  return result;
}

}  // namespace lanner
