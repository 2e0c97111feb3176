/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <limits.h>
#include <stdlib.h>

#include "array.h"

int arena_add(struct arena *arena, size_t size, int a, int b) {
  struct arena_buffer *buffers = array_room(arena->buffers, (size_t)arena->count, sizeof *buffers);
  if (!buffers) return -1;
  arena->buffers = buffers;
  const size_t rounded = (size + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
  buffers[arena->count] =
      (struct arena_buffer){.size = rounded, .first = INT_MAX, .last = -1, .heirs_of = {a, b}, .home = arena->count};
  return arena->count++;
}

void arena_use(struct arena *arena, int buffer, int time) {
  struct arena_buffer *used = &arena->buffers[buffer];
  const int from = time == ARENA_ALWAYS ? 0 : time, to = time == ARENA_ALWAYS ? INT_MAX : time;
  if (from < used->first) used->first = from;
  if (to > used->last) used->last = to;
}

static bool in_use(const struct arena_buffer *buffer) { return buffer->first <= buffer->last; }

/* Heirs come after those whose place they take, so one pass in order resolves chains. */
static void settle_heirs(struct arena *arena) {
  for (int k = 0; k < arena->count; k++) {
    struct arena_buffer *heir = &arena->buffers[k];
    for (int i = 0; i < 2 && in_use(heir) && heir->home == k; i++) {
      if (heir->heirs_of[i] < 0) continue;
      const int home = arena->buffers[heir->heirs_of[i]].home;
      struct arena_buffer *left = &arena->buffers[home];
      if (!in_use(left) || left->last != heir->first || left->size < heir->size) continue;
      left->last = heir->last;
      heir->home = home;
    }
  }
}

/* Times become numbers of groups. */
static void widen(struct arena *arena, const int *groups) {
  for (int k = 0; k < arena->count; k++) {
    struct arena_buffer *buffer = &arena->buffers[k];
    if (!in_use(buffer)) continue;
    buffer->first = groups[buffer->first];
    if (buffer->last != INT_MAX) buffer->last = groups[buffer->last];
  }
}

/* Largest first leaves the fewest gaps; equal ones in order of their numbers, so that the result is always the same. */
static int larger_first(const void *x, const void *y) {
  const struct arena_buffer *a = *(struct arena_buffer *const *)x, *b = *(struct arena_buffer *const *)y;
  if (a->size != b->size) return a->size > b->size ? -1 : 1;
  return a->home - b->home;
}

static int lower_first(const void *x, const void *y) {
  const struct arena_buffer *a = *(struct arena_buffer *const *)x, *b = *(struct arena_buffer *const *)y;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* The lowest gap beside `placed`, which are sorted by offset; sorts the buffer in among them. */
static void place(struct arena_buffer **placed, int count, struct arena_buffer *buffer) {
  size_t offset = 0;
  int at = count;
  for (int k = 0; k < count; k++) {
    const struct arena_buffer *other = placed[k];
    if (other->last < buffer->first || other->first > buffer->last) continue;
    if (other->offset >= offset + buffer->size) break;
    if (other->offset + other->size > offset) offset = other->offset + other->size;
  }
  buffer->offset = offset;
  for (; at > 0 && lower_first(&placed[at - 1], &buffer) > 0; at--) placed[at] = placed[at - 1];
  placed[at] = buffer;
}

bool arena_place(struct arena *arena, const int *groups) {
  struct arena_buffer **pending = calloc((size_t)arena->count + 1, sizeof *pending);
  struct arena_buffer **placed = calloc((size_t)arena->count + 1, sizeof *placed);
  int count = 0;
  const bool ok = pending && placed;
  if (!ok) goto cleanup;
  settle_heirs(arena);
  if (groups) widen(arena, groups);
  for (int k = 0; k < arena->count; k++)
    if (arena->buffers[k].home == k && in_use(&arena->buffers[k])) pending[count++] = &arena->buffers[k];
  qsort(pending, (size_t)count, sizeof *pending, larger_first);
  arena->size = 0;
  for (int k = 0; k < count; k++) {
    place(placed, k, pending[k]);
    const size_t end = pending[k]->offset + pending[k]->size;
    if (end > arena->size) arena->size = end;
  }
  for (int k = 0; k < arena->count; k++) arena->buffers[k].offset = arena->buffers[arena->buffers[k].home].offset;
cleanup:
  free(placed);
  free(pending);
  return ok;
}

void arena_finish(struct arena *arena) {
  free(arena->buffers);
  *arena = (struct arena){0};
}
