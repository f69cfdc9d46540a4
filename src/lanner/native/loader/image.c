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

/* A part of a library that was changed for compression (lanner.bundle.images): bytes `begin` to `end`, which are a table of words in
 * `columns`, or code of x86-64 if it has none. The parts, after their number in one byte, are before the LZ4 block. */
struct part {
  uint32_t begin, end;
  uint16_t columns, width;
};

/* Each word of a table becomes the sum with the word one row before. */
static inline __attribute__((always_inline)) void restore_table(uint8_t* table, size_t size, size_t columns, size_t width) {
  const size_t row = columns * width;
  for (size_t at = row; at + width <= size; at += width) {
    uint64_t word = 0, above = 0;
    memcpy(&word, table + at, width); /* little-endian, as are all machines that Lanner supports */
    memcpy(&above, table + at - row, width);
    word += above;
    memcpy(table + at, &word, width);
  }
}

/* The offset of the next byte 0xE8 or 0xE9, of eight bytes at once; or the end. */
static size_t next_call(const uint8_t* code, size_t at, size_t size) {
  const uint64_t each = 0x0101010101010101;
  for (uint64_t word; at + sizeof word <= size; at += sizeof word) {
    memcpy(&word, code + at, sizeof word);
    word = (word & 0xFE * each) ^ 0xE8 * each;
    const uint64_t zeros = (word - each) & ~word & 0x80 * each; /* the lowest bit is that of the first zero byte */
    if (zeros) return at + (size_t)__builtin_ctzll(zeros) / 8;
  }
  while (at < size && (code[at] & 0xFE) != 0xE8) ++at;
  return at;
}

/* The address in each call and jump, big-endian, becomes the distance from it. */
static void restore_code(uint8_t* code, size_t size) {
  for (size_t at = next_call(code, 0, size); at + 5 <= size; at = next_call(code, at + 5, size)) {
    uint32_t target;
    memcpy(&target, code + at + 1, sizeof target);
    target = __builtin_bswap32(target) - (uint32_t)at;
    memcpy(code + at + 1, &target, sizeof target);
  }
}

/* Unpacks the LZ4 block and undoes the changes, the last one first. */
static bool restore(uint8_t* to, size_t size, const uint8_t* packed, size_t packed_size) {
  struct part part;
  const size_t count = packed_size ? packed[0] : 0, begin = 1 + count * sizeof part;
  if (begin > packed_size) return false;
  if (LZ4_decompress_safe((const char*)packed + begin, (char*)to, (int)(packed_size - begin), (int)size) != (int)size) return false;
  for (size_t place = count; place-- > 0;) {
    memcpy(&part, packed + 1 + place * sizeof part, sizeof part);
    if (part.begin > part.end || part.end > size) return false;
    if (!part.columns) restore_code(to + part.begin, part.end - part.begin);
    else if (part.width == 4) restore_table(to + part.begin, part.end - part.begin, part.columns, 4);
    else if (part.width == 8) restore_table(to + part.begin, part.end - part.begin, part.columns, 8);
    else return false;
  }
  return true;
}

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
  const bool restored = restore(to, size, packed, packed_size);
  munmap(to, size);
  if (restored) return true;
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
