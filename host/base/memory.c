/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static void *allocate(gsize count, gsize size, GError **error) {
  const gsize line = 64 / size;
  if (count > G_MAXSIZE / size - line) {
    error_failed(error, "out of memory: %" G_GSIZE_FORMAT " numbers wanted", count);
    return NULL;
  }
  const gsize bytes = MAX((count + line - 1) / line, 1) * line * size;
  void *memory = aligned_alloc(64, bytes);
  if (!memory) {
    error_failed(error, "out of memory: %" G_GSIZE_FORMAT " MB wanted", bytes >> 20);
    return NULL;
  }
  return memset(memory, 0, bytes);
}

float *memory_floats(gsize count, GError **error) { return allocate(count, sizeof(float), error); }

double *memory_doubles(gsize count, GError **error) { return allocate(count, sizeof(double), error); }
