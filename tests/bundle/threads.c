/* A host whose threads outlive the plugin, or end while the process does; plugin API 3.
 *
 * threads FILE PARAMS unload|exit: a thread reads all events. Then the file is unloaded and the thread ends; or the process exits and
 * the thread ends and is joined after Python's end. */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void* library;
static const char* params;
static sem_t has_read, may_end;
static pthread_t thread;

#define FIND(name, result, ...) result (*name)(__VA_ARGS__) = (result (*)(__VA_ARGS__))dlsym(library, "plugin_" #name)

static void* read_all(void* nothing) {
  FIND(init, void*, const void*, int32_t*);
  FIND(destroy, void, void*);
  FIND(open, void*, void*, const char*, int32_t*);
  FIND(next_batch, int32_t, void*, void*, uint32_t*, void**);
  FIND(close, void, void*, void*);
  const void* input[5] = {"{}", NULL, NULL, NULL, NULL};
  int32_t rc = 1;
  void* state = init(input, &rc);
  if (rc) exit(3);
  void* instance = open(state, params, &rc);
  if (rc) exit(3);
  unsigned all = 0;
  do {
    uint32_t count = 0;
    void* events = NULL;
    rc = next_batch(state, instance, &count, &events);
    all += count;
  } while (rc == 0 || rc == -1);
  close(state, instance);
  destroy(state);
  printf("%u\n", all);
  sem_post(&has_read);
  sem_wait(&may_end);
  return nothing;
}

static void join(void) {
  sem_post(&may_end);
  pthread_join(thread, NULL);
  puts("joined");
}

int main(int count, char** arguments) {
  if (count != 4) return 2;
  params = arguments[2];
  library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) return 2;
  sem_init(&has_read, 0, 0);
  sem_init(&may_end, 0, 0);
  const int unloads = strcmp(arguments[3], "unload") == 0;
  if (!unloads) atexit(join); /* before the plugin's own, so it runs after that */
  /* the first thread gets Python's first state, the second a new one */
  for (int i = 0; i < 2; ++i) {
    pthread_create(&thread, NULL, read_all, NULL);
    sem_wait(&has_read);
    if (i == 1) break;
    sem_post(&may_end);
    pthread_join(thread, NULL);
  }
  if (unloads) {
    dlclose(library);
    join();
  }
  return 0;
}
