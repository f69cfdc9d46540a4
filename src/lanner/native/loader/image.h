/* Shared libraries that stand in a file, not as files: each is unpacked into memory and opened from there. */
#ifndef LANNER_IMAGE_H
#define LANNER_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A path under which the unpacked library can be opened, until `image_close`. */
struct image {
  char path[4096];
  int descriptor;
  bool is_file; /* below a private directory: files without a name are unavailable */
};

/* Unpacks `packed` (an LZ4 block; of `size` bytes when unpacked) into a memory file; where that is forbidden, into a file without a
 * name; without /proc, by which these are opened, into a file of a new directory that only this user can enter: a kill before
 * `image_close` leaves that behind. False with the reason in `error`. */
bool image_open(struct image* image, const char* name, const void* packed, size_t packed_size, size_t size, char* error, size_t error_size);

/* Once the library is loaded the path is needed no more. */
void image_close(struct image* image);

/* The library of this name: the process's own, if it has loaded one (two of one name do not go together), else this one. A handle of
 * dlopen, or NULL with the reason in `error`. */
void* image_load(const char* name, const void* packed, size_t packed_size, size_t size, int flags, char* error, size_t error_size);

#ifdef __cplusplus
}
#endif
#endif
