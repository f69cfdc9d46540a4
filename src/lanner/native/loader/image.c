#define _GNU_SOURCE
#include "loader/image.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <lz4.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

enum { MAX_SIZE = 1 << 30 };

static bool unpack(int descriptor, const void* packed, size_t packed_size, size_t size) {
  if (size == 0 || size > MAX_SIZE || packed_size > MAX_SIZE) {
    errno = EINVAL;
    return false;
  }
  /* not only ftruncate: a full file system must cause an error here, not a signal later */
  const int failure = posix_fallocate(descriptor, 0, (off_t)size);
  if (failure) {
    errno = failure;
    return false;
  }
  void* to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (to == MAP_FAILED) return false;
  const int got = LZ4_decompress_safe(packed, to, (int)packed_size, (int)size);
  munmap(to, size);
  if (got == (int)size) return true;
  errno = EBADMSG;
  return false;
}

static char* write_bits(char* to, uint64_t number) {
  for (int bit = 0; bit < 64; ++bit, number >>= 1) {
    *to++ = '/';
    if (number & 1) *to++ = '.';
  }
  return to;
}

/* The dynamic linker treats two libraries with one path as the same. Descriptors are reused, files without a name are not: the numbers
 * of device and file are encoded in the path, "/" for a bit 0 and "/." for a bit 1, which do not change its target. */
static bool name_descriptor(struct image* image) {
  struct stat status;
  if (fstat(image->descriptor, &status) < 0) return false;
  char unique[2 * 2 * 64 + 1];
  *write_bits(write_bits(unique, status.st_dev), status.st_ino) = 0;
  snprintf(image->path, sizeof image->path, "/proc/self/fd%s/%d", unique, image->descriptor);
  return access(image->path, R_OK) == 0;
}

/* Whether code may be mapped from it: not on a file system mounted noexec, nor if memory files are restricted so. */
static bool may_execute(int descriptor) {
  void* at = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, descriptor, 0);
  if (at == MAP_FAILED) return false;
  munmap(at, 1);
  return true;
}

/* Writes the unnamed file open at `descriptor`. Nothing of it remains when the process is killed. */
static bool fill(struct image* image, int descriptor, const void* packed, size_t packed_size, size_t size) {
  image->is_file = false;
  image->descriptor = descriptor;
  if (descriptor < 0) return false;
  if (unpack(descriptor, packed, packed_size, size) && may_execute(descriptor) && name_descriptor(image)) return true;
  const int failure = errno;
  close(descriptor);
  errno = failure;
  return false;
}

static bool open_memory(struct image* image, const char* name, const void* packed, size_t packed_size, size_t size) {
  int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_EXEC);
  if (descriptor < 0 && errno == EINVAL) descriptor = memfd_create(name, MFD_CLOEXEC); /* Linux before 6.3 */
  return fill(image, descriptor, packed, packed_size, size);
}

static bool open_nameless(struct image* image, const char* folder, const void* packed, size_t packed_size, size_t size) {
  if (!folder || folder[0] != '/') return false;
  return fill(image, open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0700), packed, packed_size, size);
}

static bool open_file(struct image* image, const char* folder, const char* name, const void* packed, size_t packed_size, size_t size) {
  if (!folder || folder[0] != '/') return false;
  char directory[sizeof image->path];
  const int length = snprintf(directory, sizeof directory, "%s/lanner-XXXXXX", folder);
  /* mkdtemp: new, with an unpredictable name, and only for this user */
  if (length < 0 || (size_t)length + strlen(name) + 2 > sizeof image->path || !mkdtemp(directory)) return false;
  snprintf(image->path, sizeof image->path, "%.*s/%s", length, directory, name);
  image->is_file = true;
  image->descriptor = open(image->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
  if (image->descriptor >= 0 && unpack(image->descriptor, packed, packed_size, size) && may_execute(image->descriptor)) return true;
  const int failure = errno;
  if (image->descriptor >= 0) {
    unlink(image->path);
    close(image->descriptor);
  }
  rmdir(directory);
  errno = failure;
  return false;
}

bool image_open(struct image* image, const char* name, const void* packed, size_t packed_size, size_t size, char* error,
                size_t error_size) {
  if (open_memory(image, name, packed, packed_size, size)) return true;
  const int failure = errno;
  const char* const folders[] = {
      secure_getenv("LANNER_CACHE_DIR"), secure_getenv("XDG_RUNTIME_DIR"), secure_getenv("TMPDIR"), "/dev/shm", "/tmp", "/var/tmp"};
  const size_t count = sizeof folders / sizeof *folders;
  if (failure != EBADMSG && failure != EINVAL) {
    for (size_t place = 0; place < count; ++place) {
      if (open_nameless(image, folders[place], packed, packed_size, size)) return true;
    }
    for (size_t place = 0; place < count; ++place) {
      if (open_file(image, folders[place], name, packed, packed_size, size)) return true;
    }
  }
  snprintf(error, error_size,
           failure == EBADMSG || failure == EINVAL
               ? "lanner: %s in this plugin is damaged (%s). Copy the file again, or rebuild it: lanner build --bundle"
               : "lanner: %s cannot be unpacked into memory (%s), and no directory allows executable files. Mount /proc, allow "
                 "memfd_create, or set the environment variable LANNER_CACHE_DIR to a directory",
           name, strerror(failure));
  return false;
}

void image_close(struct image* image) {
  close(image->descriptor);
  if (!image->is_file) return;
  unlink(image->path);
  *strrchr(image->path, '/') = 0;
  rmdir(image->path);
}

void* image_load(const char* name, const void* packed, size_t packed_size, size_t size, int flags, char* error, size_t error_size) {
  void* const present = dlopen(name, flags | RTLD_NOLOAD);
  if (present) return present;
  struct image image;
  if (!image_open(&image, name, packed, packed_size, size, error, error_size)) return NULL;
  void* handle = dlopen(image.path, flags);
  if (!handle) snprintf(error, error_size, "lanner: cannot load %s: %s", name, dlerror());
  image_close(&image);
  return handle;
}
