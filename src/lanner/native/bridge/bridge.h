/* The interface between the loader of a plugin's .so and the bridge of its Python. In C, with only libc.
 *
 * The loader is the .so that a host opens: it exports the plugin API's symbols and reads the bundle at its own end. The bridge
 * is the extension module of the Python that the bundle is bound to or brings. Only the bridge uses Python. `lanner_boot` starts
 * Python, if it is not running, and returns this table. It is independent of the plugin API's version: the loader has the host's structs. */
#ifndef LANNER_BRIDGE_H
#define LANNER_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes with every change of this file: a loader and a bridge with different numbers are incompatible. */
#define LANNER_BRIDGE_VERSION 4

/* The name of the bridge, under which a process finds a loaded one. */
#define LANNER_BRIDGE "lanner-bridge.so"

/* The plugin API's return codes, the same in all versions. */
enum { LANNER_SUCCESS = 0, LANNER_FAILURE = 1, LANNER_TIMEOUT = -1, LANNER_EOF = 2 };

/* The plugin API's field types, the same in all versions. */
enum {
  LANNER_UINT64 = 8,
  LANNER_STRING = 9,
  LANNER_RELTIME = 20,
  LANNER_ABSTIME = 21,
  LANNER_BOOL = 25,
  LANNER_IPADDR = 40,
  LANNER_IPNET = 41
};

/* The plugin API of a host. The code that creates events and values describes its effect on them. */
enum lanner_api {
  LANNER_API_0_3 = 0, /* no lists; else as below */
  LANNER_API_2 = 2,   /* and 1, with the same structs: events are lanner_struct_event, values only strings and uint64 */
  LANNER_API_3 = 3    /* events are pointers to packed blocks with a header, values have all types */
};

/* An event before API 3 (ss_plugin_event there). */
struct lanner_struct_event {
  uint64_t number;
  const uint8_t* data;
  uint32_t size;
  uint64_t timestamp;
};

/* The header of an event block at API 3: 26 packed bytes, the sizes of two parameters, the plugin's id; then the payload. */
#define LANNER_BLOCK_HEADER 38

typedef void (*lanner_log)(void* owner, const char* component, const char* message, int severity);

struct lanner_bytes {
  const char* data;
  size_t size;
};

/* The content of the bundle; see lanner.bundle for the meaning of each. Strings end with NUL. */
struct lanner_boot_request {
  int version;        /* LANNER_BRIDGE_VERSION of the loader */
  const char* lanner; /* version of the package that built the bundle */
  const char* python; /* "3.11.7" */
  const char* executable;
  const char* prefix;
  const char* base_prefix;
  const char* stdlib;
  const char* search_path; /* the entries of sys.path, one per line */
  const char* path;        /* of the .so */
  size_t libraries;        /* in the process before the loader has loaded any for this plugin */
  const char* hash;        /* identifies its content */
  /* For a bundle with its own Python (then the strings from executable to search_path are empty); see lanner.bundle.python_runtime. */
  const char* natives;  /* the shared libraries in it; "" for a plugin that is bound to a Python of this machine */
  int descriptor;       /* of the .so, open during the call */
  long long archive_at; /* the zip file in it */
  size_t archive_size;
};

/* A call of plugin_init. The strings are used only during the call. */
struct lanner_init_request {
  const char* plugin;          /* module:Class */
  const char* hash;            /* names this bundle's modules */
  const char* path;            /* of the .so, for messages */
  struct lanner_bytes archive; /* the plugin's modules in a zip file, perhaps none */
  const char* config;
  const char* options; /* describes those of a plain configuration (lanner.sdk.options.plain), or "" */
  enum lanner_api api;
  uint32_t id;
  void* owner;
  lanner_log log; /* NULL: records go to stderr */
};

/* A requested field, and the destination of its value. */
struct lanner_request {
  uint32_t field;  /* its index in the plugin's fields */
  const char* key; /* NULL: none */
  uint64_t index;
  bool has_index;
};

/* `values` is an array of the C type (const char*, uint64_t, uint32_t for bool, struct lanner_buffer). */
struct lanner_buffer {
  uint32_t size;
  const void* data;
};

struct lanner_result {
  const void* values;
  uint64_t count;
  const uint32_t* starts; /* with offsets: the position of each value in API 3's event block, and its size; 0 and 0: unknown */
  const uint32_t* sizes;
};

struct lanner_event {
  const uint8_t* payload;
  uint32_t size;
  uint64_t timestamp;
  uint64_t number;
  const char* source; /* NULL: the plugin's own */
};

typedef struct lanner_state lanner_state;
typedef struct lanner_instance lanner_instance;

/* Results stay valid until the next call of the same function on the same state or instance. */
struct lanner_bridge {
  int version;
  lanner_state* (*init)(const struct lanner_init_request* request, char* error, size_t size); /* NULL: `error`, of `size` bytes */
  void (*destroy)(lanner_state* state);
  const char* (*last_error)(lanner_state* state);
  lanner_instance* (*open)(lanner_state* state, const char* params); /* NULL: last_error */
  void (*close)(lanner_instance* instance);
  int (*next_batch)(lanner_instance* instance, uint32_t* count, void** events);
  /* `count` values of one event, which stay valid together. No value is a count of 0. False: the plugin's code failed for one of
   * them, which was logged. */
  bool (*extract)(lanner_state* state, const struct lanner_event* event, const struct lanner_request* requests, uint32_t count,
                  bool offsets, struct lanner_result* results);
  const char* (*event_to_string)(lanner_state* state, const struct lanner_event* event);
  const char* (*list_open_params)(lanner_state* state);             /* NULL: last_error */
  double (*progress)(lanner_instance* instance, const char** text); /* from 0 to 1 */
};

/* Returns the table, or NULL with the reason in `error` (of `size` bytes). Any number of times, from any thread. */
typedef const struct lanner_bridge* (*lanner_boot_function)(const struct lanner_boot_request* request, char* error, size_t size);
#define LANNER_BOOT "lanner_boot"

#ifdef __cplusplus
}
#endif
#endif
