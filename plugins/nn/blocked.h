/* SPDX-License-Identifier: MIT */
/** Layouts that our own loops can walk: those of [n, C, H, W] whose channels lie side by side in blocks. */
#ifndef NN_BLOCKED_H
#define NN_BLOCKED_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>

/** Channels that fill the narrowest vectors: what lies side by side comes in multiples of it. */
enum { BLOCKED_UNIT = 8 };

/** The images first to end - 1. */
struct images {
  int64_t first, end;
};

struct blocked {
  int64_t images, channels, positions;
  int64_t padded;                     /**< channels that there is room for; those past `channels` are 0 */
  int64_t image_stride, block_stride; /**< elements */
  int64_t block;                      /**< channels that lie side by side: 1, or a multiple of BLOCKED_UNIT */
  bool half;                          /**< bfloat16, else float32 */
};

/**
 * Learns the layout of a tensor. False when channels lie side by side in numbers that are no multiple of
 * BLOCKED_UNIT, and in bfloat16 also when they do not.
 */
bool blocked_init(struct blocked *blocked, const dnnl_memory_desc_t *md);

/**
 * How many parts the images of a map (that blocked_init knew) are worked on in by `threads`: so many that what one loop
 * leaves of a part is still in the second-level cache when the next one reads it, and that threads get equal shares.
 */
int64_t blocked_parts(const struct blocked *blocked, uint32_t threads);

/** Elements from the start of an image to a channel of its first position. */
static inline int64_t blocked_channel(const struct blocked *blocked, int64_t channel) {
  return channel / blocked->block * blocked->block_stride + channel % blocked->block;
}

#endif
