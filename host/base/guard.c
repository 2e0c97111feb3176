/* SPDX-License-Identifier: MIT */
#include "base/guard.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Floats in a zone: a cache line, so that the memory stays aligned. Before the first zone a line holds the count. */
enum { ZONE = 16, PATTERN = 0xa5 };

float *guard_floats(gsize count, GError **error) {
  const gsize all = count > G_MAXSIZE - 3 * ZONE ? G_MAXSIZE : count + 3 * ZONE; /* G_MAXSIZE is refused */
  float *whole = memory_floats(all, error);
  if (!whole) return NULL;
  float *memory = whole + 2 * ZONE;
  memcpy(whole, &count, sizeof count);
  memset(memory - ZONE, PATTERN, ZONE * sizeof *memory);
  memset(memory + count, PATTERN, ZONE * sizeof *memory);
  return memory;
}

void guard_free(float *memory) {
  if (memory) free(memory - 2 * ZONE);
}

static gboolean zone_intact(const float *zone) {
  const guchar *bytes = (const guchar *)zone;
  for (gsize k = 0; k < ZONE * sizeof *zone; k++)
    if (bytes[k] != PATTERN) return FALSE;
  return TRUE;
}

gboolean guard_intact(const float *memory) {
  gsize count;
  memcpy(&count, memory - 2 * ZONE, sizeof count);
  return zone_intact(memory - ZONE) && zone_intact(memory + count);
}
