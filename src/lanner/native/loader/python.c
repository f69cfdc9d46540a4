#define _GNU_SOURCE
#include "python.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bundle.h"

/* libpython's symbols must be global: the extension modules that Python loads look for them there, and do not link it. */
static bool bring_python(char* error, size_t size) {
  if (dlsym(RTLD_DEFAULT, "Py_IsInitialized")) return true;
  const char* path = bundle_text("libpython");
  if (access(path, R_OK) != 0) {
    snprintf(error, size,
             "lanner: this plugin runs on Python %s, and its library %s is not there (%s). Install that Python at that place, or build the "
             "plugin again on this machine: lanner build",
             bundle_text("python"), path, strerror(errno));
    return false;
  }
  if (!dlopen(path, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE)) {
    snprintf(error, size, "lanner: cannot load Python's library: %s", dlerror());
    return false;
  }
  return true;
}

static bool is_there(const char* what, const char* path, char* error, size_t size) {
  if (access(path, R_OK) == 0) return true;
  snprintf(error, size,
           "lanner: this plugin needs %s at %s, and it is not there (%s). Was its environment moved or removed? Build the plugin again: "
           "lanner build",
           what, path, strerror(errno));
  return false;
}

const struct lanner_bridge* python_start(char* error, size_t size) {
  const struct bundle* bundle = bundle_get();
  if (!bundle) {
    snprintf(error, size, "%s", bundle_error());
    return NULL;
  }
  const char* bridge_path = bundle_text("bridge");
  char marker[4096];
  snprintf(marker, sizeof marker, "%s/os.py", bundle_text("stdlib"));
  /* the library first: where Python is missing as a whole, that is what to say */
  if (!bring_python(error, size) || !is_there("Python's standard library", marker, error, size) ||
      !is_there("the package lanner", bridge_path, error, size))
    return NULL;
  void* bridge = dlopen(bridge_path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!bridge) {
    snprintf(error, size,
             "lanner: cannot load %s: %s. If another plugin or program has brought another Python into this process: a process has room "
             "for one, so build all plugins with the same (lanner build --python)",
             bridge_path, dlerror());
    return NULL;
  }
  lanner_boot_function boot;
  *(void**)&boot = dlsym(bridge, LANNER_BOOT);
  if (!boot) {
    snprintf(error, size, "lanner: %s is of another version of Lanner than this plugin (%s). Build the plugin again: lanner build",
             bridge_path, bundle_text("lanner"));
    return NULL;
  }
  const struct lanner_boot_request request = {
      .version = LANNER_BRIDGE_VERSION,
      .lanner = bundle_text("lanner"),
      .python = bundle_text("python"),
      .executable = bundle_text("executable"),
      .prefix = bundle_text("prefix"),
      .base_prefix = bundle_text("base_prefix"),
      .stdlib = bundle_text("stdlib"),
      .search_path = bundle_text("search_path"),
  };
  return boot(&request, error, size);
}
