/* SPDX-License-Identifier: MIT */
#include "array.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST = 8 };

/* The capacity is not stored: it is FIRST, then doubles whenever count reaches it, so it follows from count. */
void *array_room(void *items, size_t count, size_t size) {
  if (items && (count < FIRST || (count & (count - 1)))) return items;
  const size_t capacity = count < FIRST ? FIRST : 2 * count;
  return capacity > SIZE_MAX / size ? NULL : realloc(items, capacity * size);
}
