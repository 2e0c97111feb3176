/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

float *memory_floats(gsize count, GError **error) {
  const gsize line = 64 / sizeof(float);
  if (count > G_MAXSIZE / sizeof(float) - line) {
    error_failed(error, "out of memory: %" G_GSIZE_FORMAT " numbers wanted", count);
    return NULL;
  }
  const gsize bytes = MAX((count + line - 1) / line, 1) * line * sizeof(float);
  float *memory = aligned_alloc(64, bytes);
  if (!memory) {
    error_failed(error, "out of memory: %" G_GSIZE_FORMAT " MB wanted", bytes >> 20);
    return NULL;
  }
  return memset(memory, 0, bytes);
}
