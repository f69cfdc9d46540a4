#define _GNU_SOURCE
#include "loader/bound_python.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/bundle.h"
#include "loader/image.h"

/* libpython's symbols must be global: the extension modules that Python loads look for them there, and do not link it. */
enum { PYTHON_FLAGS = RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE, OTHER_FLAGS = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE };

static bool has_python(void) { return dlsym(RTLD_DEFAULT, "Py_IsInitialized") != NULL; }

/* Bound: the Python of this machine */

static bool is_there(const char* what, const char* path, char* error, size_t size) {
  if (access(path, R_OK) == 0) return true;
  snprintf(error, size,
           "lanner: this plugin needs %s at %s, but it is missing (%s). Was its environment moved or removed? Rebuild the plugin: "
           "lanner build",
           what, path, strerror(errno));
  return false;
}

static bool find_python(char* error, size_t size) {
  if (has_python()) return true;
  const char* path = bundle_text("libpython");
  if (access(path, R_OK) != 0) {
    snprintf(error, size,
             "lanner: this plugin runs on Python %s, and its library %s is missing (%s). Install that Python at that place, build the "
             "plugin again on this machine, or build it so that it brings its Python: lanner build --bundle",
             bundle_text("python"), path, strerror(errno));
    return false;
  }
  if (!dlopen(path, PYTHON_FLAGS)) {
    snprintf(error, size, "lanner: cannot load Python's library: %s", dlerror());
    return false;
  }
  return true;
}

static void* find_bridge(char* error, size_t size) {
  const char* path = bundle_text("bridge");
  char marker[4096];
  snprintf(marker, sizeof marker, "%s/os.py", bundle_text("stdlib"));
  /* the library first: if all of Python is missing, that is the error to report */
  if (!find_python(error, size) || !is_there("Python's standard library", marker, error, size) ||
      !is_there("the package lanner", path, error, size))
    return NULL;
  void* bridge = dlopen(path, OTHER_FLAGS);
  if (!bridge) {
    snprintf(error, size,
             "lanner: cannot load %s: %s. If another plugin or program has loaded another Python into this process: a process can have "
             "only one, so build all plugins with the same (lanner build --python)",
             path, dlerror());
  }
  return bridge;
}

/* Reads decimal numbers with blanks between them. */
static bool read_numbers(const char* text, unsigned long long* numbers, int count) {
  for (int place = 0; place < count; ++place) {
    char* end;
    errno = 0;
    numbers[place] = strtoull(text, &end, 10);
    if (end == text || errno) return false;
    text = end;
  }
  return true;
}

/* Bundled: the libraries in the text "natives", one per line: "role name offset packed-size size needed,libraries". Those with the role
 * "start" are loaded here, in their order; libpython and the bridge are the last two. The others are for the bridge. */

static void* load_native(const char* line, char* error, size_t size) {
  char name[256];
  unsigned long long numbers[3]; /* offset, packed size, unpacked size */
  int after_name = 0;
  const struct bundle* bundle = bundle_get();
  if (sscanf(line, "start %255s%n", name, &after_name) != 1 || !read_numbers(line + after_name, numbers, 3) ||
      numbers[0] > bundle->archive_size || numbers[1] > bundle->archive_size - numbers[0]) {
    snprintf(error, size, "lanner: %s is damaged. Rebuild it with `lanner build --bundle`", bundle->path);
    return NULL;
  }
  const bool is_python = strncmp(name, "libpython", 9) == 0;
  if (is_python && has_python()) return dlopen(NULL, RTLD_NOW); /* perhaps the program is Python itself */
  return image_load(name, bundle->archive + numbers[0], numbers[1], numbers[2], is_python ? PYTHON_FLAGS : OTHER_FLAGS, error, size);
}

static void* unpack_bridge(char* error, size_t size) {
  void* last = NULL;
  for (const char* line = bundle_text("natives"); line && *line;) {
    if (strncmp(line, "start ", 6) == 0) {
      last = load_native(line, error, size);
      if (!last) return NULL;
    }
    line = strchr(line, '\n');
    if (line) ++line;
  }
  bundle_rest();
  return last;
}

static int count_library(struct dl_phdr_info* library, size_t size, void* count) {
  (void)library;
  (void)size;
  ++*(size_t*)count;
  return 0;
}

const struct lanner_bridge* python_start(char* error, size_t size) {
  const struct bundle* bundle = bundle_get();
  if (!bundle) {
    snprintf(error, size, "%s", bundle_error());
    return NULL;
  }
  const bool is_bundled = *bundle_text("natives") != 0;
  size_t libraries = 0;
  dl_iterate_phdr(count_library, &libraries);
  /* one bridge serves all plugins of a process, regardless of its origin */
  void* bridge = has_python() ? dlopen(LANNER_BRIDGE, OTHER_FLAGS | RTLD_NOLOAD) : NULL;
  if (!bridge) bridge = is_bundled ? unpack_bridge(error, size) : find_bridge(error, size);
  if (!bridge) return NULL;
  lanner_boot_function boot;
  *(void**)&boot = dlsym(bridge, LANNER_BOOT);
  if (!boot) {
    snprintf(error, size, "lanner: %s is from another version of Lanner than this plugin (%s). Rebuild the plugin: lanner build",
             is_bundled ? bundle->path : bundle_text("bridge"), bundle_text("lanner"));
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
      .path = bundle->path,
      .libraries = libraries,
      .hash = bundle_text("hash"),
      .natives = bundle_text("natives"),
      .descriptor = bundle->descriptor,
      .archive_at = bundle->archive_at,
      .archive_size = bundle->archive_size,
  };
  return boot(&request, error, size);
}
