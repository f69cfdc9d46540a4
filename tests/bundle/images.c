/* images PACKED SIZE: the library that the loader unpacks from this file, on standard output; 1 with the reason. */
#include <stdio.h>
#include <stdlib.h>

#include "loader/image.h"

static size_t read_all(const char* path, char* to, size_t room) {
  FILE* file = fopen(path, "rb");
  const size_t size = file ? fread(to, 1, room, file) : 0;
  if (file) fclose(file);
  return size;
}

int main(int count, char** words) {
  static char packed[64 << 20], whole[64 << 20], error[8192];
  if (count != 3) return 2;
  struct image image;
  if (!image_open(&image, "library", packed, read_all(words[1], packed, sizeof packed), strtoul(words[2], NULL, 10), error, sizeof error)) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  const size_t size = read_all(image.path, whole, sizeof whole);
  image_close(&image);
  return fwrite(whole, 1, size, stdout) != size;
}
