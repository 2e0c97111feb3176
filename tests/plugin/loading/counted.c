/* SPDX-License-Identifier: MIT */
/* Counts, in bytes of the file LOADS, how often it is loaded. */
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("LOADS");
  FILE *file = path ? fopen(path, "a") : NULL;
  if (!file) return;
  fputc(0, file);
  fclose(file);
}

#define NAME "counted"
#include "../broken/descriptor.h"
