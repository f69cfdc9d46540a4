/* A host that repeats one action and prints its memory use; plugin API 3.
 *
 * leaks FILE PARAMS init N            init and destroy
 *                   open N            open, all batches, close
 *                   extract N FIELD.. extract these fields, in turn, from all events; FIELD: ID, ID=KEY or ID:INDEX
 * Prints the resident kilobytes after each tenth of N, and at the end the number of values. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_EVENTS = 64, MOST_FIELDS = 64, HEADER = 38 };

struct event {
  const void* block;
  uint64_t number;
  const char* source;
};

struct field {
  const void* values;
  uint64_t count;
  uint32_t id;
  const char* name;
  const char* key;
  uint64_t index;
  uint32_t has_argument, type, is_list;
};

struct extraction {
  void* owner;
  void* owner_error;
  uint32_t count;
  struct field* fields;
  void* more[6];
};

static void* library;
static void* state;
static const char* params;
static struct event events[MOST_EVENTS];
static struct field fields[MOST_FIELDS];
static unsigned event_count, field_count;
static unsigned long long values;

#define FIND(name, result, ...) result (*name)(__VA_ARGS__) = (result (*)(__VA_ARGS__))dlsym(library, "plugin_" #name)

static void fail(const char* what) {
  printf("%s failed\n", what);
  exit(1);
}

static void start(void) {
  FIND(init, void*, const void*, int32_t*);
  const void* input[5] = {"{}", NULL, NULL, NULL, NULL};
  int32_t rc = 1;
  state = init(input, &rc);
  if (rc) fail("init");
}

static void stop(void) {
  FIND(destroy, void, void*);
  destroy(state);
}

/* Opens, reads all, closes; keeps copies of the events of the first time. */
static void read_all(void) {
  FIND(open, void*, void*, const char*, int32_t*);
  FIND(next_batch, int32_t, void*, void*, uint32_t*, void**);
  FIND(close, void, void*, void*);
  const int is_first = event_count == 0;
  int32_t rc = 1;
  void* instance = open(state, params, &rc);
  if (rc) fail("open");
  do {
    uint32_t count = 0;
    void* batch = NULL;
    rc = next_batch(state, instance, &count, &batch);
    values += count;
    for (uint32_t place = 0; is_first && place < count && event_count < MOST_EVENTS; ++place) {
      const char* block = ((char**)batch)[place];
      uint32_t size;
      memcpy(&size, block + 16, sizeof size);
      char* copy = malloc(size);
      memcpy(copy, block, size);
      events[event_count++].block = copy;
    }
  } while (rc == 0 || rc == -1);
  close(state, instance);
}

static void extract_next(unsigned long long turn) {
  static int32_t (*extract)(void*, const void*, const void*);
  if (!extract) *(void**)&extract = dlsym(library, "plugin_extract_fields");
  struct event event = events[turn / field_count % event_count];
  event.number = turn / field_count + 1;
  struct field field = fields[turn % field_count];
  const struct extraction extraction = {.count = 1, .fields = &field};
  extract(state, &event, &extraction);
  values += field.count;
  for (uint64_t i = 0; i < field.count; ++i) {
    if (field.type == 9 && !((const char* const*)field.values)[i]) fail("a string");
  }
}

static struct field parse(char* text) {
  struct field field = {.id = (uint32_t)strtoul(text, &text, 10), .has_argument = *text != 0};
  if (*text == '=') field.key = text + 1;
  if (*text == ':') field.index = strtoull(text + 1, NULL, 10);
  return field;
}

static long resident_kb(void) {
  long pages = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%*s %ld", &pages) != 1) fail("statm");
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int count, char** arguments) {
  if (count < 5) return 2;
  library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) return 2;
  params = arguments[2];
  const char what = *arguments[3];
  const unsigned long long times = strtoull(arguments[4], NULL, 10);
  for (int i = 5; i < count && field_count < MOST_FIELDS; ++i) fields[field_count++] = parse(arguments[i]);
  if (what != 'i') start();
  if (what == 'e') read_all();
  for (unsigned long long turn = 0; turn < times; ++turn) {
    if (what == 'i') {
      start();
      stop();
    } else if (what == 'o') {
      read_all();
    } else {
      extract_next(turn);
    }
    if ((turn + 1) % (times / 10) == 0) printf("%ld\n", resident_kb());
  }
  printf("%llu\n", values);
  if (what != 'i') stop();
  return 0;
}
