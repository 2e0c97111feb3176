/* SPDX-License-Identifier: MIT */
/**
 * Places buffers in one piece of memory so that those in use at the same time do not overlap. Times are the numbers
 * of steps; a buffer is in use from the first step that touches it to the last.
 */
#ifndef NN_ARENA_H
#define NN_ARENA_H

#include <stdbool.h>
#include <stddef.h>

enum { ARENA_ALIGNMENT = 64, ARENA_ALWAYS = -1 };

struct arena_buffer {
  size_t size, offset;
  int first, last; /**< times, or once groups are known numbers of these; first > last: never in use */
  int heirs_of[2]; /**< buffers whose place it may take, or -1 */
  int home;        /**< the buffer whose place it took, or itself */
};

struct arena {
  struct arena_buffer *buffers;
  int count;
  size_t size; /**< bytes that all need together; set by arena_place */
};

/**
 * Adds a buffer. Where the first step that uses it is the last that uses buffer `a` (else `b`; -1: none), it takes
 * that one's place, if that is large enough. Returns its number, or -1 when there is no memory.
 */
int arena_add(struct arena *arena, size_t size, int a, int b);

/** Says that the step `time`, or ARENA_ALWAYS, uses a buffer. */
void arena_use(struct arena *arena, int buffer, int time);

/**
 * Sets every offset, and the arena's size. Steps of one group run side by side: what one of them uses is in use in all.
 * groups[time] is the number of a step's group, which grows with time; NULL: every step is one. False when there is no
 * memory.
 */
bool arena_place(struct arena *arena, const int *groups);

/** Frees what the arena holds. */
void arena_finish(struct arena *arena);

#endif
