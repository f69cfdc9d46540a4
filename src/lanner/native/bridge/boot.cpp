// The function that the loader calls, and the table that it returns. No exception leaves these functions.
#include <dlfcn.h>
#include <signal.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "bridge/bridge.h"
#include "bridge/instance.hpp"
#include "bridge/pages.hpp"
#include "bridge/python.hpp"
#include "bridge/runtime.hpp"
#include "bridge/state.hpp"
#include "bridge/threads.hpp"
#include "python/scopes.hpp"

using namespace lanner;

namespace {

// The reason why Python cannot serve this plugin.
struct Refusal {
  std::string text;
};

// Python takes over an unused SIGINT, even without its own handlers. It belongs to the host.
class SigintGuard {
 public:
  SigintGuard() {
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGINT, &ignore, &before_);
  }
  ~SigintGuard() { sigaction(SIGINT, &before_, nullptr); }
  SigintGuard(const SigintGuard&) = delete;
  SigintGuard& operator=(const SigintGuard&) = delete;

 private:
  struct sigaction before_;
};

void check(const PyStatus& status) {
  if (PyStatus_Exception(status))
    throw Refusal{std::string("cannot start Python: ") + (status.err_msg ? status.err_msg : "no reason given")};
}

void set(PyConfig& config, wchar_t** place, const char* text) { check(PyConfig_SetBytesString(&config, place, text)); }

template <typename Take>
void each_line(const char* lines, Take&& take) {
  for (std::string_view rest = lines; !rest.empty();) {
    const auto end = rest.find('\n');
    if (const auto line = rest.substr(0, end); !line.empty()) take(std::string(line));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
}

void start_python(const lanner_boot_request& request, const Runtime* runtime) {
  PyPreConfig preconfig;
  PyPreConfig_InitIsolatedConfig(&preconfig);
  preconfig.utf8_mode = 1;  // the host's locale does not concern us
  check(Py_PreInitialize(&preconfig));
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  const struct Cleared {
    PyConfig& config;
    ~Cleared() { PyConfig_Clear(&config); }
  } cleared{config};
  config.install_signal_handlers = 0;
  config.site_import = 0;  // search_path contains all that it would find
  config.write_bytecode = 0;
  config.module_search_paths_set = 1;
  if (runtime) runtime->freeze();
  set(config, &config.executable, request.executable);
  set(config, &config.base_executable, request.executable);
  set(config, &config.program_name, request.executable);
  set(config, &config.prefix, request.prefix);
  set(config, &config.exec_prefix, request.prefix);
  set(config, &config.base_prefix, request.base_prefix);
  set(config, &config.base_exec_prefix, request.base_prefix);
  set(config, &config.stdlib_dir, request.stdlib);
  each_line(request.search_path, [&](const std::string& path) {
    wchar_t* wide = Py_DecodeLocale(path.c_str(), nullptr);
    const PyStatus status = wide ? PyWideStringList_Append(&config.module_search_paths, wide) : PyStatus_NoMemory();
    PyMem_RawFree(wide);
    check(status);
  });
  const SigintGuard sigint;
  check(Py_InitializeFromConfig(&config));
  // its first import examines SIGINT, regardless of the importer
  const Ref imported(PyImport_ImportModule("_signal"));
  PyErr_Clear();
}

// Imports the module of this name from this very file, not from an import path: an editable install has it outside the package.
void import_self() {
  constexpr const char* name = "lanner.native._native";
  PyObject* modules = PyImport_GetModuleDict();
  if (PyDict_GetItemString(modules, name)) return;
  Dl_info info;
  if (!dladdr(reinterpret_cast<void*>(&import_self), &info)) throw Refusal{"cannot find the bridge's own file"};
  const Ref external = checked(PyImport_ImportModule("_frozen_importlib_external"));
  // the path of a file from a bundle does not identify it
  const Ref origin = checked(PyUnicode_DecodeFSDefault(info.dli_fname));
  const Ref loader = checked(PyObject_CallMethod(external.get(), "ExtensionFileLoader", "sO", name, origin.get()));
  const Ref bootstrap = checked(PyImport_ImportModule("_frozen_importlib"));
  const Ref spec = checked(PyObject_CallMethod(bootstrap.get(), "ModuleSpec", "sO", name, loader.get()));
  if (PyObject_SetAttrString(spec.get(), "origin", origin.get()) < 0) throw PythonError();
  checked(PyObject_CallMethod(bootstrap.get(), "_load", "O", spec.get()));
}

// A Python that another program has started is used unchanged; it may not know where Lanner is.
void extend_search_path(const char* lines) {
  PyObject* path = PySys_GetObject("path");
  if (!path) throw Refusal{"Python has no sys.path"};
  each_line(lines, [&](const std::string& line) {
    const Ref entry = checked(PyUnicode_DecodeFSDefault(line.c_str()));
    const int there = PySequence_Contains(path, entry.get());
    if (there < 0 || (!there && PyList_Append(path, entry.get()) < 0)) throw PythonError();
  });
}

bool is_bundled(const lanner_boot_request& request) { return *request.natives != 0; }

std::string environment_of(const lanner_boot_request& request) { return std::string(request.prefix) + "\n" + request.search_path; }

// The location of the plugin's Python, for messages.
std::string home_of(const lanner_boot_request& request) { return is_bundled(request) ? request.path : request.executable; }

// Python and home of the first plugin in the process. Never destroyed: another thread may use it while the process ends.
struct FirstPlugin {
  std::mutex booting;
  bool booted = false;
  std::string environment;
  std::string home;  // several may have the same environment
  std::string lanner;
  std::string python;
  bool bundled = false;
  std::size_t libraries_begin = 0, libraries_end = 0;  // the libraries that its start has loaded
  std::set<std::string> runtimes;                      // the hashes of the bundles whose modules can be imported
  std::string start_failure;                           // why Python does not start; it can be tried only once
};
FirstPlugin& first = *new FirstPlugin;

// Holds the mutex. A thread with the GIL releases it while waiting, because booting takes it too.
class BootLock {
 public:
  BootLock() {
    PyThreadState* const state = Py_IsInitialized() && PyGILState_Check() ? PyEval_SaveThread() : nullptr;
    first.booting.lock();
    if (state) PyEval_RestoreThread(state);
  }
  ~BootLock() { first.booting.unlock(); }
  BootLock(const BootLock&) = delete;
  BootLock& operator=(const BootLock&) = delete;
};

// Another plugin has started Lanner here. Two bound plugins must share an environment; one with its own Python fits any with the same version.
void join(const lanner_boot_request& request) {
  constexpr const char* advice = ". A process can have only one: build all plugins with the same (lanner build --python)";
  if (!first.bundled && !is_bundled(request)) {
    if (first.environment == environment_of(request)) return;
    throw Refusal{"a plugin of another Python environment (" + first.home + ") is already in this process; this one is bound to " +
                  request.executable + advice};
  }
  if (first.python != request.python || first.lanner != request.lanner) {
    throw Refusal{"Python " + first.python + " with Lanner " + first.lanner + " (" + first.home +
                  ") is already in this process; this one " + (is_bundled(request) ? "brings" : "is bound to") + " Python " +
                  request.python + " with Lanner " + request.lanner + advice};
  }
  const Gil gil;
  if (!is_bundled(request)) {
    extend_search_path(request.search_path);
  } else if (!first.runtimes.contains(request.hash)) {
    Runtime(request).install();
    first.runtimes.insert(request.hash);
  }
}

void boot(const lanner_boot_request& request) {
  const BootLock booting;
  if (request.version != LANNER_BRIDGE_VERSION) {
    throw Refusal{std::string("it was built by Lanner ") + request.lanner +
                  ", but its environment now has another version. Rebuild it: lanner build"};
  }
  const std::string version = PY_VERSION;
  if (std::string running = Py_GetVersion(); running.compare(0, version.find('.', 2), version, 0, version.find('.', 2)) != 0) {
    throw Refusal{"Python " + running.substr(0, running.find(' ')) + " is already in this process, but this plugin runs on Python " +
                  version + ". A process can have only one: build all plugins with the same (lanner build --python)"};
  }
  if (first.booted) {
    join(request);
    return;
  }
  if (!first.start_failure.empty()) throw Refusal{first.start_failure};
  const auto runtime = is_bundled(request) ? std::make_unique<Runtime>(request) : nullptr;
  const bool starts = !Py_IsInitialized();
  if (starts) {
    try {
      start_python(request, runtime.get());
    } catch (const Refusal& refusal) {
      first.start_failure = refusal.text;
      throw;
    }
  }
  const struct Leave {
    bool starts;
    ~Leave() {
      if (starts) leave_first_thread();
    }
  } leave{starts};
  const Gil gil;
  const CollectionPause uncollected;
  try {
    if (runtime) runtime->install();
    if (!starts) extend_search_path(request.search_path);
    import_self();
    checked(PyImport_ImportModule("lanner.embedded.state"));
  } catch (const PythonError&) {
    throw Refusal{"cannot import lanner from its environment (" + home_of(request) + "): " + describe(take_exception().get()) +
                  ". Rebuild the plugin: lanner build"};
  }
  if (runtime) first.runtimes.insert(request.hash);
  first.environment = environment_of(request);
  first.home = home_of(request);
  first.lanner = request.lanner;
  first.python = request.python;
  first.bundled = is_bundled(request);
  first.libraries_begin = request.libraries;
  first.libraries_end = count_libraries();
  watch_process();
  first.booted = true;
}

// The code of a bundled Python is in memory files, which stay whether they are mapped or not.
void rest_after_start() {
  if (!first.bundled) rest_code(first.libraries_begin, first.libraries_end);
}

void put_error(char* to, std::size_t size, const std::string& text) { std::snprintf(to, size, "%s", text.c_str()); }

// Returns `call()`, or `otherwise` with the reason in the state's error. All exceptions here derive from std::exception.
template <typename Call, typename Otherwise>
Otherwise guarded(lanner_state& state, Call&& call, Otherwise otherwise) {
  try {
    return call();
  } catch (const std::exception& failure) {
    state.error = failure.what();
    return otherwise;
  }
}

lanner_state* init(const lanner_init_request* request, char* error, std::size_t size) noexcept {
  const Gil gil;
  try {
    const CollectionPause uncollected;
    auto state = std::make_unique<lanner_state>(*request);
    rest_after_start();
    return state.release();
  } catch (const PythonError&) {
    put_error(error, size, describe(take_exception().get()));
  } catch (const std::exception& failure) {
    put_error(error, size, failure.what());
  }
  return nullptr;
}

void destroy(lanner_state* state) noexcept {
  const Gil gil;
  delete state;
}

const char* last_error(lanner_state* state) noexcept { return state->error.c_str(); }

lanner_instance* open(lanner_state* state, const char* params) noexcept {
  const Gil gil;
  try {
    auto instance = std::make_unique<lanner_instance>(*state, params);
    rest_after_start();
    return instance.release();
  } catch (const PythonError&) {
    state->failed("open");
  } catch (const std::exception& failure) {
    state->error = failure.what();
  }
  return nullptr;
}

void close(lanner_instance* instance) noexcept {
  const Gil gil;
  delete instance;
}

int next_batch(lanner_instance* instance, std::uint32_t* count, void** events) noexcept {
  try {
    return instance->next_batch(*count, *events);
  } catch (const std::exception& failure) {
    *count = 0;
    instance->state.error = failure.what();
    return LANNER_FAILURE;
  }
}

bool extract(lanner_state* state, const lanner_event* event, const lanner_request* requests, std::uint32_t count, bool offsets,
             lanner_result* results) noexcept {
  return state->extract(*event, requests, count, offsets, results);
}
bool extract_again(lanner_state* state, const std::uint8_t* payload, std::uint32_t size, std::uint32_t field,
                   lanner_result* result) noexcept {
  return state->extract_again({reinterpret_cast<const char*>(payload), size}, field, *result);
}

const char* event_to_string(lanner_state* state, const lanner_event* event) noexcept {
  return guarded(*state, [&] { return state->event_to_string(*event); }, "");
}

const char* list_open_params(lanner_state* state) noexcept {
  return guarded(*state, [&] { return state->list_open_params(); }, static_cast<const char*>(nullptr));
}

double progress(lanner_instance* instance, const char** text) noexcept {
  *text = "";
  return guarded(instance->state, [&] { return instance->progress(*text); }, 0.0);
}

constexpr lanner_bridge table = {
    LANNER_BRIDGE_VERSION, init,     destroy, last_error, open, close, next_batch, extract, extract_again, event_to_string,
    list_open_params,      progress,
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const lanner_bridge* lanner_boot(const lanner_boot_request* request, char* error,
                                                                                   std::size_t size) {
  try {
    boot(*request);
    return &table;
  } catch (const Refusal& refusal) {
    put_error(error, size, "lanner: this plugin cannot run: " + refusal.text);
  } catch (const PythonError&) {
    const Gil gil;
    put_error(error, size, "lanner: this plugin cannot run: " + describe(take_exception().get()));
  } catch (const std::exception& failure) {
    put_error(error, size, std::string("lanner: this plugin cannot run: ") + failure.what());
  }
  return nullptr;
}
