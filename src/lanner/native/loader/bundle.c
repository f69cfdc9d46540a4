#define _GNU_SOURCE
#include "bundle.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "lanner-bundle-1 "
#define MARK_SIZE 16
#define TRAILER_SIZE 32
#define MAX_BUNDLE (256u << 20)

static struct bundle the_bundle = {.descriptor = -1};
static char error[4096 + 256];
static bool is_read;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool read_all(int descriptor, char* to, size_t size, off_t at) {
  while (size) {
    const ssize_t got = pread(descriptor, to, size, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    at += got;
    size -= (size_t)got;
  }
  return true;
}

/* Where the texts begin, or -1. */
static off_t find_texts(int descriptor, off_t file_size) {
  char trailer[TRAILER_SIZE + 1] = {0};
  if (file_size < TRAILER_SIZE || !read_all(descriptor, trailer, TRAILER_SIZE, file_size - TRAILER_SIZE)) return -1;
  if (memcmp(trailer, MARK, MARK_SIZE) != 0) return -1;
  char* end;
  const unsigned long long at = strtoull(trailer + MARK_SIZE, &end, 16);
  if (end != trailer + TRAILER_SIZE || at >= (unsigned long long)file_size) return -1;
  return (off_t)at;
}

/* What follows the texts, or NULL where they do not end. */
static const char* after_texts(const char* texts, const char* end) {
  while (texts < end && *texts) {
    for (int part = 0; part < 2; ++part) {
      const char* nul = memchr(texts, 0, (size_t)(end - texts));
      if (!nul) return NULL;
      texts = nul + 1;
    }
  }
  return texts < end ? texts + 1 : NULL;
}

static bool read_bundle(void) {
  Dl_info info;
  if (!dladdr((void*)&the_bundle, &info) || !info.dli_fname) {
    snprintf(error, sizeof error, "lanner: cannot find out which file this plugin was loaded from");
    return false;
  }
  snprintf(the_bundle.path, sizeof the_bundle.path, "%s", info.dli_fname);
  const int descriptor = open(the_bundle.path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (descriptor < 0 || fstat(descriptor, &status) < 0) {
    snprintf(error, sizeof error, "lanner: cannot read %s: %s", the_bundle.path, strerror(errno));
    if (descriptor >= 0) close(descriptor);
    return false;
  }
  the_bundle.descriptor = descriptor;
  const off_t at = find_texts(descriptor, status.st_size);
  const size_t size = at < 0 ? 0 : (size_t)(status.st_size - at);
  if (at < 0 || size > MAX_BUNDLE) {
    snprintf(error, sizeof error,
             "lanner: %s has lost the plugin that stood at its end: it was stripped or cut off. Build it again with `lanner build`, "
             "and do not strip it",
             the_bundle.path);
    return false;
  }
  the_bundle.texts = malloc(size + 1);
  if (!the_bundle.texts || !read_all(descriptor, the_bundle.texts, size, at)) {
    snprintf(error, sizeof error, "lanner: cannot read %s: %s", the_bundle.path, strerror(errno));
    return false;
  }
  the_bundle.texts[size] = 0;
  the_bundle.archive = after_texts(the_bundle.texts, the_bundle.texts + size);
  if (!the_bundle.archive) {
    snprintf(error, sizeof error, "lanner: %s is damaged. Build it again with `lanner build`", the_bundle.path);
    return false;
  }
  the_bundle.archive_size = (size_t)(the_bundle.texts + size - the_bundle.archive);
  return true;
}

const struct bundle* bundle_get(void) {
  pthread_mutex_lock(&lock);
  if (!is_read) {
    is_read = true;
    if (!read_bundle()) {
      free(the_bundle.texts);
      the_bundle.texts = NULL;
      fprintf(stderr, "%s\n", error);
    }
  }
  pthread_mutex_unlock(&lock);
  return the_bundle.texts ? &the_bundle : NULL;
}

const char* bundle_error(void) { return error; }

const char* bundle_text(const char* name) {
  const struct bundle* bundle = bundle_get();
  if (!bundle) return "";
  for (const char* at = bundle->texts; *at;) {
    const char* value = at + strlen(at) + 1;
    if (strcmp(at, name) == 0) return value;
    at = value + strlen(value) + 1;
  }
  return "";
}

void bundle_free(void) {
  if (the_bundle.descriptor >= 0) close(the_bundle.descriptor);
  free(the_bundle.texts);
  the_bundle.texts = NULL;
  the_bundle.descriptor = -1;
}
