/* Loads a plugin as a host would, in a process without Python, and tells what it says: a line `NAME<tab>VALUE` for each thing.
 *
 * probe FILE CONFIG: the info functions, init, open and close where there is a source, destroy. The exit status is 0 where init succeeded, 1 where it failed, 2 where the
 * file is no plugin. `lanner build` ends with it. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* As API 3 passes it; older ones pass the configuration alone. */
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

static void try_open(void* state, const char* (*last_error)(void*)) {
  void* (*open)(void*, const char*, int32_t*);
  void (*close)(void*, void*);
  *(void**)&open = find("plugin_open");
  *(void**)&close = find("plugin_close");
  int32_t rc = 12345;
  void* instance = open(state, "", &rc);
  if (rc) printf("open error\t%s\n", last_error(state));
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

int main(int count, char** arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: probe FILE CONFIG\n");
    return 2;
  }
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
