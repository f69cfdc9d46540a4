/* Loads a plugin as a host would, in a process without Python, and prints its answers.
 *
 * probe FILE CONFIG: the info functions, init, open, read and close if it has a source, destroy. Prints a line `NAME<tab>VALUE` for each
 * result. The exit status is 0 if init succeeded, 1 if it failed, 2 if the file is not a plugin. `lanner build` ends with it.
 *
 * probe --info FILE: all info functions, without init; `NAME<tab>VALUE<NUL>` for each result. It prints each function before the call
 * (`call`), so that the last one is known if the process crashes. `done` is the end. `lanner inspect` uses it for foreign
 * libraries. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void* library;

static void* find(const char* name) {
  void* function = dlsym(library, name);
  if (function) return function;
  printf("error\t%s is missing\n", name);
  exit(2);
}

static void tell(const char* name, const char* symbol) {
  if (!dlsym(library, symbol)) return;
  const char* (*get)(void);
  *(void**)&get = find(symbol);
  printf("%s\t%s\n", name, get());
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* As API 3 passes it; older versions pass only the configuration. */
struct init_input {
  const char* config;
  void* owner;
  const char* (*owner_error)(void*);
  const void* tables;
  void (*log)(void*, const char*, const char*, int);
};

static const char* no_error(void* owner) {
  (void)owner;
  return NULL;
}

static void log_to_stderr(void* owner, const char* component, const char* message, int severity) {
  (void)owner;
  fprintf(stderr, "%s: %d: %s\n", component, severity, message);
}

/* Milliseconds to wait for a first event or an error: a source may never have an event. */
static const double patience = 300.0;

/* Reads until an event, the end, a failure, or the timeout. */
static void try_read(void* state, void* instance, const char* (*last_error)(void*)) {
  enum { timeout = -1, failure = 1 };
  int32_t (*next_batch)(void*, void*, uint32_t*, void**);
  *(void**)&next_batch = find("plugin_next_batch");
  const double end = now() + patience;
  int32_t rc = timeout;
  for (uint32_t events = 0; events == 0 && (rc == timeout || rc == 0) && now() < end;) {
    void* batch = NULL;
    rc = next_batch(state, instance, &events, &batch);
  }
  if (rc == failure) printf("read error\t%s\n", last_error(state));
}

static void try_open(void* state, const char* (*last_error)(void*)) {
  void* (*open)(void*, const char*, int32_t*);
  void (*close)(void*, void*);
  *(void**)&open = find("plugin_open");
  *(void**)&close = find("plugin_close");
  int32_t rc = 12345;
  void* instance = open(state, "", &rc);
  if (rc) printf("open error\t%s\n", last_error(state));
  else try_read(state, instance, last_error);
  close(state, instance);
}

static void* init(const char* version, const char* config, int32_t* rc) {
  if (version[0] == '3') {
    void* (*function)(const struct init_input*, int32_t*);
    *(void**)&function = find("plugin_init");
    const struct init_input input = {config, NULL, no_error, NULL, log_to_stderr};
    return function(&input, rc);
  }
  void* (*function)(const char*, int32_t*);
  *(void**)&function = find("plugin_init");
  return function(config, rc);
}

static const char* const texts[] = {
    "plugin_get_required_api_version",  "plugin_get_name",         "plugin_get_version",
    "plugin_get_description",           "plugin_get_contact",      "plugin_get_event_source",
    "plugin_get_extract_event_sources", "plugin_get_fields",       "plugin_get_parse_event_sources",
    "plugin_get_async_event_sources",   "plugin_get_async_events",
};

static void record(FILE* to, const char* name, const char* value) {
  fprintf(to, "%s\t%s", name, value);
  fputc('\0', to);
  fflush(to);
}

/* NULL if the library has no such function, which is printed. */
static void* find_told(FILE* to, const char* name) {
  void* function = dlsym(library, name);
  if (function) record(to, "call", name);
  return function;
}

static void tell_info(FILE* to) {
  const char* (*text)(void);
  for (size_t place = 0; place < sizeof texts / sizeof *texts; ++place) {
    *(void**)&text = find_told(to, texts[place]);
    const char* value = text ? text() : NULL;
    if (value) record(to, texts[place], value);
  }
  uint32_t (*id)(void);
  *(void**)&id = find_told(to, "plugin_get_id");
  if (id) {
    char digits[16];
    snprintf(digits, sizeof digits, "%u", id());
    record(to, "plugin_get_id", digits);
  }
  const char* (*schema)(int32_t*);
  *(void**)&schema = find_told(to, "plugin_get_init_schema");
  int32_t kind = 0; /* 1: JSON */
  const char* value = schema ? schema(&kind) : NULL;
  if (value && kind == 1) record(to, "plugin_get_init_schema", value);
}

/* Does not return: the library's destructors are not part of the result. */
static _Noreturn void info(const char* file) {
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  /* output of the library must not mix with the results */
  FILE* to = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "w");
  if (!to || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) _exit(2);
  record(to, "call", "dlopen");
  library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library) tell_info(to);
  else record(to, "error", dlerror());
  record(to, "done", "");
  _exit(0);
}

int main(int count, char** arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: probe FILE CONFIG, or probe --info FILE\n");
    return 2;
  }
  if (strcmp(arguments[1], "--info") == 0) info(arguments[2]);
  const double begin = now();
  library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    printf("error\t%s\n", dlerror());
    return 2;
  }
  const char* (*get_version)(void);
  *(void**)&get_version = find("plugin_get_required_api_version");
  tell("api", "plugin_get_required_api_version");
  tell("name", "plugin_get_name");
  tell("version", "plugin_get_version");
  if (dlsym(library, "plugin_next_batch")) printf("capability\tsourcing\n");
  if (dlsym(library, "plugin_extract_fields")) printf("capability\textraction\n");

  void (*destroy)(void*);
  const char* (*last_error)(void*);
  *(void**)&destroy = find("plugin_destroy");
  *(void**)&last_error = find("plugin_get_last_error");
  int32_t rc = 12345;
  void* state = init(get_version(), arguments[2], &rc);
  if (!state) {
    printf("error\tplugin_init gave no state\n");
    return 2;
  }
  printf("milliseconds\t%.1f\n", now() - begin);
  if (rc) {
    printf("init error\t%s\n", last_error(state));
  } else if (dlsym(library, "plugin_next_batch")) {
    try_open(state, last_error);
  }
  destroy(state);
  return rc ? 1 : 0;
}
