#include "python/host_reader.hpp"

#include <memory>
#include <system_error>

#include "python/dechunker.hpp"
#include "python/events.hpp"
#include "python/extension.hpp"
#include "python/finisher.hpp"
#include "python/framer.hpp"
#include "python/scopes.hpp"
#include "python/window.hpp"
#include "stream/fingerprint.hpp"

namespace lanner {
namespace {

struct HostReaderState {
  HostReaderState(int queue, PyObject* function) : on_commit(Ref::borrowed(function)), reader(queue, function != Py_None) {}

  const Ref on_commit;
  HostReader reader;
};

struct LoanState {
  Loan loan;
  Ref chunks, framer, window, finisher;  // the owners of its parts
};

PyTypeObject *host_reader_type, *loan_type;

PyObject* failed_call() noexcept {
  try {
    throw;
  } catch (const std::system_error& error) {
    errno = error.code().value();
    return PyErr_SetFromErrno(PyExc_OSError);
  } catch (...) {
    return failed();
  }
}

PyObject* loan_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"socket", "chunks", "framer", "window", "finisher", "engine", "inspects", nullptr};
  int socket, inspects;
  Py_ssize_t engine;
  PyObject *chunks, *framer, *window, *finisher;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iOOOOnp:Loan", const_cast<char**>(names), &socket, &chunks, &framer, &window, &finisher,
                                   &engine, &inspects)) {
    return nullptr;
  }
  try {
    auto state = std::make_unique<LoanState>();
    auto& loan = state->loan;
    loan.socket = socket;
    loan.chunks = as_decoder(chunks);
    loan.framer = as_object_framer(framer);
    loan.seen = as_seen_events(window);
    loan.finisher = as_finisher(finisher);
    loan.engine = static_cast<std::size_t>(engine);
    loan.inspects = inspects;
    if (engine < 0 || (!loan.chunks && chunks != Py_None) || !loan.framer || !loan.seen || !loan.finisher) {
      PyErr_SetString(PyExc_TypeError,
                      "a loan has a Dechunker or None, an ObjectFramer, an EventWindow, a Finisher, and a number from 0 on");
      return nullptr;
    }
    state->chunks = Ref::borrowed(chunks);
    state->framer = Ref::borrowed(framer);
    state->window = Ref::borrowed(window);
    state->finisher = Ref::borrowed(finisher);
    return hold(type, std::move(state));
  } catch (...) {
    return failed_call();
  }
}

Loan& loan_of(PyObject* self) { return content_of<LoanState>(self).loan; }

// Seconds of Python's time.monotonic(), which has the same clock; 0.0 for no time.
PyObject* to_seconds(Loan::Clock::time_point time) {
  return PyFloat_FromDouble(std::chrono::duration<double>(time.time_since_epoch()).count());
}

PyObject* loan_taken(PyObject* self, void*) { return PyLong_FromSize_t(loan_of(self).taken); }
PyObject* loan_repeated(PyObject* self, void*) { return PyLong_FromSize_t(loan_of(self).repeated); }
PyObject* loan_heard(PyObject* self, void*) { return to_seconds(loan_of(self).heard); }
PyObject* loan_unfinished_since(PyObject* self, void*) { return to_seconds(loan_of(self).unfinished_since); }

PyGetSetDef loan_attributes[] = {
    {"taken", loan_taken, nullptr, "Number of events that the host took in the last loan.", nullptr},
    {"repeated", loan_repeated, nullptr, "Number of events in it that had been seen before.", nullptr},
    {"heard", loan_heard, nullptr, "When bytes came last, by time.monotonic(); 0.0: none came.", nullptr},
    {"unfinished_since", loan_unfinished_since, nullptr,
     "Since when an incomplete event has brought no complete one, by time.monotonic(); 0.0: nothing is incomplete.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot loan_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(loan_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(drop<LoanState>)},
    {Py_tp_getset, loan_attributes},
    {Py_tp_doc,
     const_cast<char*>("Loan(socket: int, chunks: Dechunker | None, framer: ObjectFramer, window: EventWindow, finisher: Finisher, "
                       "engine: int, inspects: bool)\n\nA connection that can be lent to a HostReader, with what its bytes pass through.")},
    {0, nullptr},
};
PyType_Spec loan_spec = {"lanner.native.Loan", sizeof(Holder<LoanState>), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, loan_slots};

PyObject* host_reader_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"queue", "on_commit", nullptr};
  int queue;
  PyObject* on_commit;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iO:HostReader", const_cast<char**>(names), &queue, &on_commit)) return nullptr;
  try {
    return hold(type, std::make_unique<HostReaderState>(queue, on_commit));
  } catch (...) {
    return failed_call();
  }
}

HostReader& host_reader_of(PyObject* self) { return content_of<HostReaderState>(self).reader; }

PyObject* host_reader_lend(PyObject* self, PyObject* args) {
  PyObject* lent;
  int closing;
  double timeout;
  if (!PyArg_ParseTuple(args, "O!id:lend", loan_type, &lent, &closing, &timeout)) return nullptr;
  Loan& loan = loan_of(lent);
  try {
    {
      const GilRelease released;
      host_reader_of(self).lend(loan, closing, std::chrono::milliseconds(static_cast<long>(timeout * 1000)));
    }
    if (loan.error) {
      errno = loan.error;
      return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (loan.chunks && !loan.chunks->error.empty()) {
      PyErr_SetString(PyExc_ValueError, loan.chunks->error.c_str());
      return nullptr;
    }
    return to_lines(nullptr, std::move(loan.returned));
  } catch (...) {
    return failed_call();
  }
}

PyObject* host_reader_take_commits(PyObject* self, PyObject*) {
  try {
    const auto taken = host_reader_of(self).committed.take();
    Ref all = checked(PyList_New(0));
    for (const auto& [engine, lines] : taken) {
      const Ref keys = checked(PyList_New(0));
      // an event that the host's thread has taken has a time
      for (const auto line : lines.last()) append(keys, to_key(time_of(line).value_or(0), line));
      append(all, Py_BuildValue("(nO)", static_cast<Py_ssize_t>(engine), keys.get()));
    }
    return all.release();
  } catch (...) {
    return failed();
  }
}

PyMethodDef host_reader_methods[] = {
    {"lend", host_reader_lend, METH_VARARGS,
     "lend(loan: Loan, closing: int, timeout: float) -> Lines\n\nLend a connection to the host's thread until it returns it, `closing` is "
     "readable, the time is over, or bytes have come between two calls of the host. Return the events that it leaves to the caller. Raises "
     "`OSError`, and `ValueError` for invalid chunks."},
    {"take_commits", host_reader_take_commits, METH_NOARGS,
     "take_commits() -> list[tuple[int, list[str]]]\n\nReturn the keys of the last events that the host has processed since the last "
     "call, by engine."},
    {nullptr, nullptr, 0, nullptr},
};
PyType_Slot host_reader_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(host_reader_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(drop<HostReaderState>)},
    {Py_tp_methods, host_reader_methods},
    {Py_tp_doc, const_cast<char*>("HostReader(queue: int, on_commit: Callable[[bool], object] | None)\n\nReads lent connections in the "
                                  "thread of a host that waits without Python. `queue` is readable while there are other events. "
                                  "`on_commit(is_full)` is called when `take_commits` has lines, and if they use much memory.")},
    {0, nullptr},
};
PyType_Spec host_reader_spec = {"lanner.native.HostReader", sizeof(Holder<HostReaderState>), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, host_reader_slots};

}  // namespace

HostReader* as_host_reader(PyObject* object) { return Py_TYPE(object) == host_reader_type ? &host_reader_of(object) : nullptr; }

void tell_commit(PyObject* host_reader, Commits::News news) {
  const auto& on_commit = content_of<HostReaderState>(host_reader).on_commit;
  checked(PyObject_CallOneArg(on_commit.get(), news == Commits::News::full ? Py_True : Py_False));
}

int add_host_reader(PyObject* module) {
  if (add_type(module, host_reader_spec, "HostReader", &host_reader_type) < 0) return -1;
  return add_type(module, loan_spec, "Loan", &loan_type);
}

}  // namespace lanner
