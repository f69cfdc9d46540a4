#include "guest.h"

#include <dirent.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

enum { SIGNALS = 32, PATIENCE_MS = 500 };

static struct {
  struct sigaction actions[SIGNALS];
  sigset_t mask;
  char locale[256], directory[4096];
  mode_t umask;
  size_t environment;
  int threads;
  int files; /* after the first destroy; before it: -1 */
} before;

static mode_t current_umask(void) {
  mode_t mask = umask(0);
  umask(mask);
  return mask;
}

/* A digest of all variables: Python reads PYTHONHOME and the like, and must not set them for everybody. */
static size_t environment_digest(void) {
  size_t digest = 5381;
  for (char** variable = environ; *variable != NULL; variable++) {
    for (const char* next = *variable; *next != '\0'; next++) digest = digest * 33 + (unsigned char)*next;
  }
  return digest;
}

static int count_entries(const char* path) {
  int count = 0;
  DIR* directory = opendir(path);
  if (directory == NULL) return -1;
  while (readdir(directory) != NULL) count++;
  closedir(directory);
  return count;
}

void guest_arrives(void) {
  for (int i = 1; i < SIGNALS; i++) sigaction(i, NULL, &before.actions[i]);
  pthread_sigmask(SIG_BLOCK, NULL, &before.mask);
  snprintf(before.locale, sizeof before.locale, "%s", setlocale(LC_ALL, NULL));
  if (getcwd(before.directory, sizeof before.directory) == NULL) *before.directory = '\0';
  before.umask = current_umask();
  before.environment = environment_digest();
  before.threads = count_entries("/proc/self/task");
  before.files = -1;
}

void guest_check_manners(void) {
  for (int i = 1; i < SIGNALS; i++) {
    struct sigaction now;
    if (sigaction(i, NULL, &now) != 0 || now.sa_handler == before.actions[i].sa_handler) continue;
    violation("guest: another handler of signal %d (%s)", i, sigabbrev_np(i));
  }
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, NULL, &mask);
  for (int i = 1; i < SIGNALS; i++) {
    if (sigismember(&mask, i) != sigismember(&before.mask, i)) violation("guest: the main thread's mask of signal %d changed", i);
  }
  char directory[4096] = "";
  if (strcmp(setlocale(LC_ALL, NULL), before.locale) != 0) violation("guest: the locale is now %s", setlocale(LC_ALL, NULL));
  if (getcwd(directory, sizeof directory) == NULL) *directory = '\0';
  if (strcmp(directory, before.directory) != 0) violation("guest: the working directory is now %s", directory);
  if (current_umask() != before.umask) violation("guest: another umask");
  if (environment_digest() != before.environment) violation("guest: the environment changed");
}

void guest_check_leavings(void) {
  /* a thread that was joined may still be seen for a moment */
  int threads = count_entries("/proc/self/task");
  for (int i = 0; i < PATIENCE_MS && threads > before.threads; i++) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    threads = count_entries("/proc/self/task");
  }
  if (threads > before.threads) violation("guest: threads are left after destroy: %d", threads - before.threads);
  int files = count_entries("/proc/self/fd");
  if (before.files < 0) before.files = files;
  if (files > before.files) violation("guest: each life of the plugin leaves files open");
}
