#define _GNU_SOURCE
#include "loader/bundle.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "lanner-bundle-2 "
enum { MARK_SIZE = 16, PLACE_SIZE = 16, CRC_SIZE = 8, SHA_SIZE = 64, TRAILER_SIZE = MARK_SIZE + PLACE_SIZE + CRC_SIZE + SHA_SIZE };

static struct bundle the_bundle = {.descriptor = -1};
static void* mapped;
static size_t mapped_size;
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

/* CRC-32 as in zlib, eight bytes per step. */
static uint32_t crc_tables[8][256];

static void make_crc_tables(void) {
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    crc_tables[0][byte] = crc;
  }
  for (uint32_t byte = 0; byte < 256; ++byte) {
    for (int step = 1; step < 8; ++step)
      crc_tables[step][byte] = crc_tables[step - 1][byte] >> 8 ^ crc_tables[0][crc_tables[step - 1][byte] & 255];
  }
}

static uint32_t crc_add(uint32_t crc, const unsigned char* data, size_t size) {
  for (; size >= 8; data += 8, size -= 8) {
    uint32_t low, high;
    memcpy(&low, data, 4); /* little-endian, as are all machines that Lanner supports */
    memcpy(&high, data + 4, 4);
    low ^= crc;
    crc = crc_tables[7][low & 255] ^ crc_tables[6][low >> 8 & 255] ^ crc_tables[5][low >> 16 & 255] ^ crc_tables[4][low >> 24] ^
          crc_tables[3][high & 255] ^ crc_tables[2][high >> 8 & 255] ^ crc_tables[1][high >> 16 & 255] ^ crc_tables[0][high >> 24];
  }
  for (; size; ++data, --size) crc = crc >> 8 ^ crc_tables[0][(crc ^ *data) & 255];
  return crc;
}

/* Read, not mapped: data that is read only once must not count as the host's memory. */
static bool is_whole(int descriptor, off_t size, uint32_t expected) {
  static char block[1 << 16];
  make_crc_tables();
  uint32_t crc = ~0u;
  for (off_t at = 0; at < size;) {
    const size_t part = size - at < (off_t)sizeof block ? (size_t)(size - at) : sizeof block;
    if (!read_all(descriptor, block, part, at)) return false;
    crc = crc_add(crc, (const unsigned char*)block, part);
    at += (off_t)part;
  }
  return ~crc == expected;
}

/* The offset of the strings: 0 without a trailer, -1 if the file is damaged. */
static off_t find_texts(int descriptor, off_t file_size) {
  char trailer[TRAILER_SIZE + 1] = {0};
  if (file_size < TRAILER_SIZE || !read_all(descriptor, trailer, TRAILER_SIZE, file_size - TRAILER_SIZE)) return 0;
  if (memcmp(trailer, MARK, MARK_SIZE) != 0) return 0;
  char place[PLACE_SIZE + 1] = {0}, crc[CRC_SIZE + 1] = {0};
  memcpy(place, trailer + MARK_SIZE, PLACE_SIZE);
  memcpy(crc, trailer + MARK_SIZE + PLACE_SIZE, CRC_SIZE);
  const unsigned long long at = strtoull(place, NULL, 16);
  if (!at || at >= (unsigned long long)file_size) return -1;
  return is_whole(descriptor, file_size - CRC_SIZE - SHA_SIZE, (uint32_t)strtoul(crc, NULL, 16)) ? (off_t)at : -1;
}

/* The end of the strings, or NULL if they do not end. */
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

static bool failed(const char* what) {
  snprintf(error, sizeof error, "lanner: %s %s", the_bundle.path, what);
  return false;
}

static bool read_bundle(void) {
  Dl_info info;
  if (!dladdr((void*)&the_bundle, &info) || !info.dli_fname) {
    snprintf(error, sizeof error, "lanner: cannot determine the file of this plugin");
    return false;
  }
  snprintf(the_bundle.path, sizeof the_bundle.path, "%s", info.dli_fname);
  the_bundle.descriptor = open(the_bundle.path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (the_bundle.descriptor < 0 || fstat(the_bundle.descriptor, &status) < 0) {
    snprintf(error, sizeof error, "lanner: cannot read %s: %s", the_bundle.path, strerror(errno));
    return false;
  }
  const off_t at = find_texts(the_bundle.descriptor, status.st_size);
  if (at == 0)
    return failed(
        "has lost the plugin at its end: it was stripped or truncated. Rebuild it with `lanner build`, and do not "
        "strip it");
  if (at < 0) return failed("is damaged: its checksum does not match. Copy it again, or rebuild it with `lanner build`");
  const off_t begin = at - at % sysconf(_SC_PAGESIZE);
  mapped_size = (size_t)(status.st_size - begin);
  mapped = mmap(NULL, mapped_size, PROT_READ, MAP_PRIVATE, the_bundle.descriptor, begin);
  if (mapped == MAP_FAILED) {
    mapped = NULL;
    snprintf(error, sizeof error, "lanner: cannot read %s: %s", the_bundle.path, strerror(errno));
    return false;
  }
  const char* const end = (const char*)mapped + mapped_size;
  the_bundle.texts = (const char*)mapped + (at - begin);
  the_bundle.archive = after_texts(the_bundle.texts, end);
  if (!the_bundle.archive) return failed("is damaged: its strings do not end. Rebuild it with `lanner build`");
  the_bundle.archive_size = (size_t)(end - the_bundle.archive);
  the_bundle.archive_at = begin + (the_bundle.archive - (const char*)mapped);
  return true;
}

const struct bundle* bundle_get(void) {
  pthread_mutex_lock(&lock);
  if (!is_read) {
    is_read = true;
    if (!read_bundle()) {
      bundle_free();
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

unsigned long long bundle_number(const char* name) { return strtoull(bundle_text(name), NULL, 10); }

void bundle_rest(void) {
  if (mapped) madvise(mapped, mapped_size, MADV_DONTNEED);
}

void bundle_free(void) {
  if (the_bundle.descriptor >= 0) close(the_bundle.descriptor);
  if (mapped) munmap(mapped, mapped_size);
  mapped = NULL;
  the_bundle.texts = NULL;
  the_bundle.descriptor = -1;
}
