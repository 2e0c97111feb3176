/* SPDX-License-Identifier: MIT */
/** Memory with guard zones before and after it. */
#ifndef CONFORM_BLOCK_H
#define CONFORM_BLOCK_H

#include <glib.h>

enum { GUARD = 256 /**< bytes of a guard zone */ };

struct block {
  gpointer data; /**< aligned to 64 bytes, zero at first */
  gsize size;    /**< bytes */
  guint8 *memory;
};

void block_init(struct block *block, gsize size);
void block_clear(struct block *block);

/** Whether both zones are as they were made. They hold floats that are no numbers. */
gboolean block_intact(const struct block *block);

/** Fills floats with what guard zones hold. */
void block_poison(float *data, gsize count);

/** Whether floats hold it still. */
gboolean block_poisoned(const float *data, gsize count);

#endif
