/* SPDX-License-Identifier: MIT */
#include "conform/block.h"

#include <string.h>

/* A signalling NaN as float32, little-endian: one to which something is added becomes quiet, and shows. */
static const guint8 poison[4] = {0xde, 0xc0, 0xbe, 0x7f};

static void fill(guint8 *bytes, gsize count) {
  for (gsize k = 0; k < count; k++) bytes[k] = poison[k % sizeof poison];
}

static gboolean filled(const guint8 *bytes, gsize count) {
  for (gsize k = 0; k < count; k++)
    if (bytes[k] != poison[k % sizeof poison]) return FALSE;
  return TRUE;
}

void block_init(struct block *block, gsize size) {
  *block = (struct block){.size = size, .memory = g_aligned_alloc(1, size + 2 * GUARD, 64)};
  block->data = block->memory + GUARD;
  fill(block->memory, GUARD);
  memset(block->data, 0, size);
  fill(block->memory + GUARD + size, GUARD);
}

void block_clear(struct block *block) {
  g_aligned_free(block->memory);
  *block = (struct block){0};
}

gboolean block_intact(const struct block *block) {
  return !block->memory || (filled(block->memory, GUARD) && filled(block->memory + GUARD + block->size, GUARD));
}

void block_poison(float *data, gsize count) { fill((guint8 *)data, count * sizeof *data); }

gboolean block_poisoned(const float *data, gsize count) { return filled((const guint8 *)data, count * sizeof *data); }
