/* Shared libraries within a file: each is unpacked into memory and opened from there. */
#ifndef LANNER_IMAGE_H
#define LANNER_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A path for opening the unpacked library, valid until `image_close`. */
struct image {
  char path[4096];
  int descriptor;
  bool is_file; /* below a private directory: files without a name are unavailable */
};

/* Unpacks `packed` (a list of changes and an LZ4 block; of `size` bytes when unpacked) into a memory file. If that is forbidden, it uses a file without a
 * name; without /proc, which is needed to open these, a file in a new directory of this user only: a kill before
 * `image_close` leaves that behind. False with the reason in `error`. */
bool image_open(struct image* image, const char* name, const void* packed, size_t packed_size, size_t size, char* error, size_t error_size);

/* Closes the path, which is not needed after the library is loaded. */
void image_close(struct image* image);

/* The library with this name: the process's own, if it has loaded one (two with one name conflict), else this one. A handle of
 * dlopen, or NULL with the reason in `error`. */
void* image_load(const char* name, const void* packed, size_t packed_size, size_t size, int flags, char* error, size_t error_size);

#ifdef __cplusplus
}
#endif
#endif
