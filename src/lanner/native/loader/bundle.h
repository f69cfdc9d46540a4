/* What stands behind the loader's own code in its file: texts by name, then a zip file of the plugin's modules and, where it brings
 * its own Python, of that.
 *
 * The file ends with the zip's comment: "lanner-bundle-2 ", 16 hexadecimal digits that tell where the texts begin, 8 of the CRC-32
 * and 64 of the SHA-256 of all that stands before these 72. The texts are NAME NUL VALUE NUL ..., ended by an empty name.
 * lanner.bundle.archive writes it. */
#ifndef LANNER_BUNDLE_H
#define LANNER_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct bundle {
  char path[4096];
  int descriptor; /* kept open: a file that takes this one's place does not change what is loaded */
  const char* texts;
  const char* archive;
  size_t archive_size;
  off_t archive_at; /* in the file */
};

/* The bundle at the end of the file that this code was loaded from, read once. NULL with the reason in `bundle_error`. */
const struct bundle* bundle_get(void);
const char* bundle_error(void);

/* A text of the bundle; "" where it has none of that name. */
const char* bundle_text(const char* name);

/* A text that is a number; 0 where there is none. */
unsigned long long bundle_number(const char* name);

/* What was read of the mapped file leaves the process's memory; whoever reads more gets it from the file again. */
void bundle_rest(void);

/* Closes the descriptor and forgets the texts, when the loader is unloaded. */
void bundle_free(void);

#endif
