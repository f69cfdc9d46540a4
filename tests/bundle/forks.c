/* A host that forks, as daemons do, with a plugin initialised: the child continues with it. And one that exits with all still open.
 *
 * forks FILE PARAMS fork|exit: prints what the child (or the process) read of the first events; plugin API 3. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void* library;

#define FIND(name, result, ...) result (*name)(__VA_ARGS__) = (result (*)(__VA_ARGS__))dlsym(library, "plugin_" #name)

static void read_events(void* state, const char* params) {
  FIND(open, void*, void*, const char*, int32_t*);
  FIND(next_batch, int32_t, void*, void*, uint32_t*, void**);
  FIND(get_last_error, const char*, void*);
  int32_t rc = 1;
  void* instance = open(state, params, &rc);
  if (rc) {
    printf("open: %s\n", get_last_error(state));
    return;
  }
  for (int tries = 0; tries < 500; ++tries) {
    uint32_t count = 0;
    void* events = NULL;
    rc = next_batch(state, instance, &count, &events);
    for (uint32_t place = 0; place < count; ++place) {
      const char* block = ((char**)events)[place];
      uint32_t size;
      memcpy(&size, block + 16, sizeof size);
      printf("%.*s\n", (int)size - 38, block + 38);
    }
    if (rc == 1 || rc == 2) break;
  }
  printf("end %d\n", rc);
}

int main(int count, char** arguments) {
  if (count != 4) return 2;
  library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) return 2;
  FIND(init, void*, const void*, int32_t*);
  const void* input[5] = {"{}", NULL, NULL, NULL, NULL};
  int32_t rc = 1;
  void* state = init(input, &rc);
  if (rc) return 3;
  fflush(stdout);
  if (strcmp(arguments[3], "fork") == 0) {
    const pid_t child = fork();
    if (child > 0) {
      int status = 0;
      waitpid(child, &status, 0);
      read_events(state, arguments[2]); /* and the parent goes on too */
      fflush(stdout);
      return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
    }
  }
  read_events(state, arguments[2]);
  exit(0); /* nothing closed, nothing destroyed */
}
