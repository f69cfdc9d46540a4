/* The data after the loader's own code in its file: strings by name, then a zip file of the plugin's modules and, if the bundle brings
 * its own Python, of that.
 *
 * The file ends with the zip's comment: "lanner-bundle-2 ", 16 hexadecimal digits with the offset of the strings, 8 of the CRC-32
 * and 64 of the SHA-256 of everything before these 72. The strings are NAME NUL VALUE NUL ..., ended by an empty name.
 * lanner.bundle.archive writes it. */
#ifndef LANNER_BUNDLE_H
#define LANNER_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct bundle {
  char path[4096];
  int descriptor; /* kept open: a file that replaces this one does not change what is loaded */
  const char* texts;
  const char* archive;
  size_t archive_size;
  off_t archive_at; /* in the file */
};

/* The bundle at the end of this code's own file, read once. NULL with the reason in `bundle_error`. */
const struct bundle* bundle_get(void);
const char* bundle_error(void);

/* A string of the bundle; "" if it has none with that name. */
const char* bundle_text(const char* name);

/* A string that is a number; 0 for a missing one. */
unsigned long long bundle_number(const char* name);

/* Releases the memory of the mapped file. A later read loads it from the file again. */
void bundle_rest(void);

/* Closes the descriptor and frees the strings when the loader is unloaded. */
void bundle_free(void);

#endif
