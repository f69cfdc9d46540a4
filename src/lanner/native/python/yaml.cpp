// The extension module lanner.native._yaml: nodes of a YAML text as Python objects. See _yaml.pyi for its interface.
#include "python/extension.hpp"
// after Python.h
#include <structmember.h>

#include <algorithm>
#include <climits>
#include <string>
#include <unordered_map>
#include <utility>

#include "python/scopes.hpp"
#include "yaml/tree.hpp"

namespace lanner {
namespace {

struct NodeObject {
  PyObject_HEAD PyObject* file;
  Py_ssize_t begin, end;
  Py_ssize_t offset, line, column;
  char is_null;
  PyObject* tag;
  PyObject* first;   // a scalar's value, a sequence's items, a mapping's pairs
  PyObject* second;  // a scalar's style, a mapping's values
};

int node_traverse(PyObject* self, visitproc visit, void* arg) {
  auto* node = reinterpret_cast<NodeObject*>(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(node->file);
  Py_VISIT(node->first);
  Py_VISIT(node->second);
  return 0;
}

int node_clear(PyObject* self) {
  auto* node = reinterpret_cast<NodeObject*>(self);
  Py_CLEAR(node->file);
  Py_CLEAR(node->tag);
  Py_CLEAR(node->first);
  Py_CLEAR(node->second);
  return 0;
}

void node_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  if (PyType_IS_GC(type)) PyObject_GC_UnTrack(self);
  node_clear(self);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* node_mark(PyObject* self, void*) {
  const auto* node = reinterpret_cast<NodeObject*>(self);
  return Py_BuildValue("(nnn)", node->offset, node->line, node->column);
}

PyMemberDef node_members[] = {
    {"file", T_OBJECT_EX, offsetof(NodeObject, file), READONLY, "The file, as it was given"},
    {"begin", T_PYSSIZET, offsetof(NodeObject, begin), READONLY, "Where it begins in the text, in characters"},
    {"end", T_PYSSIZET, offsetof(NodeObject, end), READONLY, "Where it ends, exclusive"},
    {"tag", T_OBJECT_EX, offsetof(NodeObject, tag), READONLY, "Its tag as resolved; \"\" if none is written"},
    {"is_null", T_BOOL, offsetof(NodeObject, is_null), READONLY, "Whether it is YAML's null"},
    {nullptr, 0, 0, 0, nullptr},
};
PyGetSetDef node_getset[] = {
    {"mark", node_mark, nullptr, "Position in yaml-cpp: (offset, line, column), in bytes and from 0", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyMemberDef scalar_members[] = {
    {"value", T_OBJECT_EX, offsetof(NodeObject, first), READONLY, "Its text"},
    {"style", T_OBJECT_EX, offsetof(NodeObject, second), READONLY, "\"\" for a plain one, else its first character"},
    {nullptr, 0, 0, 0, nullptr},
};
PyMemberDef sequence_members[] = {
    {"items", T_OBJECT_EX, offsetof(NodeObject, first), READONLY, "Its nodes"},
    {nullptr, 0, 0, 0, nullptr},
};
PyMemberDef mapping_members[] = {
    {"pairs", T_OBJECT_EX, offsetof(NodeObject, first), READONLY, "Its keys and values in order"},
    {"values", T_OBJECT_EX, offsetof(NodeObject, second), READONLY,
     "Values by those keys that are strings; if a key is repeated, the first counts"},
    {nullptr, 0, 0, 0, nullptr},
};

constexpr unsigned long plain_flags =
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION;

PyType_Slot node_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)}, {Py_tp_members, node_members}, {Py_tp_getset, node_getset}, {0, nullptr}};
PyType_Slot scalar_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)}, {Py_tp_members, scalar_members}, {0, nullptr}};
PyType_Slot sequence_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)},
                                {Py_tp_traverse, reinterpret_cast<void*>(node_traverse)},
                                {Py_tp_clear, reinterpret_cast<void*>(node_clear)},
                                {Py_tp_members, sequence_members},
                                {0, nullptr}};
PyType_Slot mapping_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)},
                               {Py_tp_traverse, reinterpret_cast<void*>(node_traverse)},
                               {Py_tp_clear, reinterpret_cast<void*>(node_clear)},
                               {Py_tp_members, mapping_members},
                               {0, nullptr}};

PyType_Spec node_spec = {"lanner.native._yaml.Node", sizeof(NodeObject), 0, plain_flags, node_slots};
PyType_Spec scalar_spec = {"lanner.native._yaml.Scalar", sizeof(NodeObject), 0, plain_flags, scalar_slots};
PyType_Spec sequence_spec = {"lanner.native._yaml.Sequence", sizeof(NodeObject), 0, plain_flags | Py_TPFLAGS_HAVE_GC, sequence_slots};
PyType_Spec mapping_spec = {"lanner.native._yaml.Mapping", sizeof(NodeObject), 0, plain_flags | Py_TPFLAGS_HAVE_GC, mapping_slots};

// Converts offsets in bytes to indexes of characters in the same text, fastest in ascending order.
class Positions {
 public:
  explicit Positions(PyObject* text) : text_(text), is_ascii_(PyUnicode_IS_ASCII(text)), size_(PyUnicode_GET_LENGTH(text)) {}

  Py_ssize_t index(std::size_t offset) {
    if (is_ascii_) return static_cast<Py_ssize_t>(offset);
    const auto wanted = static_cast<Py_ssize_t>(offset);
    while (bytes_ < wanted && at_ < size_) bytes_ += width(at_++);
    while (bytes_ > wanted && at_ > 0) bytes_ -= width(--at_);
    return at_;
  }

 private:
  // A byte that is not UTF-8 is a surrogate in the text
  Py_ssize_t width(Py_ssize_t at) const {
    const Py_UCS4 c = PyUnicode_READ_CHAR(text_, at);
    return c < 0x80 || (c >= 0xDC80 && c <= 0xDCFF) ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  }

  PyObject* text_;
  bool is_ascii_;
  Py_ssize_t size_, at_ = 0, bytes_ = 0;
};

// Invalid UTF-8 becomes U+FFFD, byte by byte.
PyObject* to_text(std::string_view value) {
  const auto size = static_cast<Py_ssize_t>(value.size());
  PyObject* text = PyUnicode_DecodeUTF8(value.data(), size, nullptr);
  if (text || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) return text;
  PyErr_Clear();
  const Ref escaped(PyUnicode_DecodeUTF8(value.data(), size, "surrogateescape"));
  if (!escaped) return nullptr;
  const auto length = PyUnicode_GET_LENGTH(escaped.get());
  const Ref result(PyUnicode_New(length, 0x10FFFF));
  for (Py_ssize_t at = 0; result && at < length; ++at) {
    const Py_UCS4 c = PyUnicode_READ_CHAR(escaped.get(), at);
    PyUnicode_WRITE(PyUnicode_KIND(result.get()), PyUnicode_DATA(result.get()), at, c >= 0xDC80 && c <= 0xDCFF ? 0xFFFD : c);
  }
  // as narrow as Python requires for its strings
  return result ? PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, PyUnicode_DATA(result.get()), length) : nullptr;
}

// Creates Python's nodes of a tree, each once: an alias is another reference.
class Maker {
 public:
  Maker(const YamlTree& tree, PyObject* text, PyObject* file, PyTypeObject* const (&types)[3])
      : tree_(tree), positions_(text), file_(file), types_(types), made_(tree.nodes.size()) {}
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;

  // A new reference
  PyObject* node(std::uint32_t index, bool is_key = false) {
    if (!made_[index]) made_[index] = make(tree_.nodes[index], is_key);
    return made_[index].share();
  }

 private:
  Ref make(const YamlNode& node, bool is_key) {
    const bool is_scalar = node.kind == YamlNode::Kind::null || node.kind == YamlNode::Kind::scalar;
    PyTypeObject* type = types_[is_scalar ? 0 : node.kind == YamlNode::Kind::sequence ? 1 : 2];
    Ref object(type->tp_alloc(type, 0));
    if (!object) return {};
    auto* made = reinterpret_cast<NodeObject*>(object.get());
    made->file = Py_NewRef(file_);
    made->tag = to_text(node.tag);
    if (!made->tag) return {};
    made->begin = positions_.index(node.begin);
    made->end = positions_.index(node.end);
    made->offset = static_cast<Py_ssize_t>(node.mark.offset);
    made->line = static_cast<Py_ssize_t>(node.mark.line);
    made->column = static_cast<Py_ssize_t>(node.mark.column);
    made->is_null = node.kind == YamlNode::Kind::null;
    const bool whole = is_scalar                               ? fill_scalar(node, *made, is_key)
                       : node.kind == YamlNode::Kind::sequence ? fill_sequence(node, *made)
                                                               : fill_mapping(node, *made);
    return whole ? std::move(object) : Ref();
  }

  bool fill_scalar(const YamlNode& node, NodeObject& made, bool is_key) {
    made.first = is_key ? key(node.value) : to_text(node.value);
    made.second = node.style ? PyUnicode_FromStringAndSize(&node.style, 1) : PyUnicode_FromStringAndSize(nullptr, 0);
    return made.first && made.second;
  }

  bool fill_sequence(const YamlNode& node, NodeObject& made) {
    made.first = PyList_New(static_cast<Py_ssize_t>(node.children.size()));
    if (!made.first) return false;
    for (std::size_t at = 0; at < node.children.size(); ++at) {
      PyObject* item = this->node(node.children[at]);
      if (!item) return false;
      PyList_SET_ITEM(made.first, static_cast<Py_ssize_t>(at), item);
    }
    return true;
  }

  bool fill_mapping(const YamlNode& node, NodeObject& made) {
    made.first = PyList_New(static_cast<Py_ssize_t>(node.children.size() / 2));
    made.second = PyDict_New();
    if (!made.first || !made.second) return false;
    for (std::size_t at = 0; at + 1 < node.children.size(); at += 2) {
      PyObject* pair = PyTuple_New(2);
      if (!pair) return false;
      PyList_SET_ITEM(made.first, static_cast<Py_ssize_t>(at / 2), pair);
      PyObject* key = this->node(node.children[at], true);
      if (!key) return false;
      PyTuple_SET_ITEM(pair, 0, key);
      PyObject* value = this->node(node.children[at + 1]);
      if (!value) return false;
      PyTuple_SET_ITEM(pair, 1, value);
      const auto kind = tree_.nodes[node.children[at]].kind;
      if (kind != YamlNode::Kind::null && kind != YamlNode::Kind::scalar) continue;
      if (!PyDict_SetDefault(made.second, reinterpret_cast<NodeObject*>(key)->first, value)) return false;
    }
    return true;
  }

  // The same few keys occur many times.
  PyObject* key(const std::string& text) {
    const auto found = keys_.find(text);
    if (found != keys_.end()) return found->second.share();
    Ref made(to_text(text));
    if (!made) return nullptr;
    return keys_.emplace(text, std::move(made)).first->second.share();
  }

  const YamlTree& tree_;
  Positions positions_;
  PyObject* file_;
  PyTypeObject* const (&types_)[3];
  std::vector<Ref> made_;
  std::unordered_map<std::string, Ref> keys_;
};

PyObject* read(PyObject* module, PyObject* args) {
  PyObject *text, *file;
  PyTypeObject* types[3];
  Py_ssize_t depth, aliased;
  int only_first;
  if (!PyArg_ParseTuple(args, "UO(O!O!O!)nnp:read", &text, &file, &PyType_Type, &types[0], &PyType_Type, &types[1], &PyType_Type, &types[2],
                        &depth, &aliased, &only_first))
    return nullptr;
  const auto** bases = static_cast<const PyTypeObject**>(PyModule_GetState(module));
  for (int at = 0; at < 3; ++at) {
    if (!PyType_IsSubtype(types[at], const_cast<PyTypeObject*>(bases[at])))
      return PyErr_Format(PyExc_TypeError, "%s is not a subclass of %s", types[at]->tp_name, bases[at]->tp_name);
  }
  if (depth < 0 || aliased < 0) return PyErr_Format(PyExc_ValueError, "a limit must not be negative");
  const Ref bytes(PyUnicode_AsEncodedString(text, "utf-8", "surrogateescape"));
  if (!bytes) return nullptr;
  if (PyBytes_GET_SIZE(bytes.get()) > INT_MAX) return PyErr_Format(PyExc_ValueError, "the text is too long");
  try {
    const auto view = view_of(bytes.get());
    const YamlLimits limits{static_cast<std::size_t>(depth), static_cast<std::size_t>(aliased), only_first != 0};
    // a reload reads while events are processed
    const auto tree = [&] {
      const GilRelease released;
      return read_yaml(view, limits);
    }();
    if (const auto& error = tree.error) {
      Positions positions(text);
      const auto begin = positions.index(std::min(error->mark.offset, view.size()));
      const auto end = positions.index(std::min(error->mark.offset + error->length, view.size()));
      const Ref message(to_text(error->message));
      if (!message) return nullptr;
      return Py_BuildValue("([](Onn(nnn)N))", message.get(), begin, end, static_cast<Py_ssize_t>(error->mark.offset),
                           static_cast<Py_ssize_t>(error->mark.line), static_cast<Py_ssize_t>(error->mark.column),
                           PyBool_FromLong(error->is_limit));
    }
    const CollectionPause until_made;
    Maker maker(tree, text, file, types);
    Ref documents(PyList_New(0));
    for (const auto root : tree.documents) {
      const Ref node(documents ? maker.node(root) : nullptr);
      if (!node || PyList_Append(documents.get(), node.get())) return nullptr;
    }
    return documents ? Py_BuildValue("(NO)", documents.release(), Py_None) : nullptr;
  } catch (...) {
    return failed();
  }
}

PyMethodDef methods[] = {
    {"read", read, METH_VARARGS,
     "read(text, file, (Scalar, Sequence, Mapping), depth, aliased, only_first) -> (documents, None) or ([], error)\n\n"
     "The root nodes of the documents of a string, up to the first that is null. An error is (message, begin, end, (offset, line, column), "
     "is_limit)."},
    {nullptr, nullptr, 0, nullptr},
};

int fill(PyObject* module) {
  auto** bases = static_cast<PyObject**>(PyModule_GetState(module));
  const Ref node(PyType_FromModuleAndSpec(module, &node_spec, nullptr));
  if (!node || PyModule_AddObjectRef(module, "Node", node.get())) return -1;
  PyType_Spec* const specs[] = {&scalar_spec, &sequence_spec, &mapping_spec};
  const char* const names[] = {"Scalar", "Sequence", "Mapping"};
  for (int at = 0; at < 3; ++at) {
    bases[at] = PyType_FromModuleAndSpec(module, specs[at], node.get());
    if (!bases[at] || PyModule_AddObjectRef(module, names[at], bases[at])) return -1;
  }
  return 0;
}

int module_traverse(PyObject* module, visitproc visit, void* arg) {
  auto** bases = static_cast<PyObject**>(PyModule_GetState(module));
  for (int at = 0; at < 3; ++at) Py_VISIT(bases[at]);
  return 0;
}

int module_clear(PyObject* module) {
  auto** bases = static_cast<PyObject**>(PyModule_GetState(module));
  for (int at = 0; at < 3; ++at) Py_CLEAR(bases[at]);
  return 0;
}

PyModuleDef_Slot module_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(fill)}, {0, nullptr}};
PyModuleDef module = {PyModuleDef_HEAD_INIT, "_yaml",      nullptr, 3 * sizeof(PyObject*), methods, module_slots,
                      module_traverse,       module_clear, nullptr};

}  // namespace
}  // namespace lanner

PyMODINIT_FUNC PyInit__yaml() { return PyModuleDef_Init(&lanner::module); }
