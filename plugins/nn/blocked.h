/* SPDX-License-Identifier: MIT */
/** Layouts that our own loops can walk: those of [n, C, H, W] whose channels lie side by side in blocks. */
#ifndef NN_BLOCKED_H
#define NN_BLOCKED_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>

/** Numbers that are worked on at once; parts that images are worked on in. */
enum { LANES = 8, BLOCKED_SLICES = 16 };

struct blocked {
  int64_t images, channels, positions;
  int64_t padded;                     /**< channels that there is room for; those past `channels` are 0 */
  int64_t image_stride, block_stride; /**< elements */
  int64_t block;                      /**< channels that lie side by side: 1, or a multiple of LANES */
  bool half;                          /**< bfloat16, else float32 */
};

/**
 * Learns the layout of a tensor. False when channels lie side by side in numbers that are no multiple of LANES, and in
 * bfloat16 also when they do not.
 */
bool blocked_init(struct blocked *blocked, const dnnl_memory_desc_t *md);

/** Channels that are worked on together. */
static inline int64_t blocked_group(const struct blocked *blocked) { return blocked->block == 1 ? 1 : LANES; }

static inline int64_t blocked_groups(const struct blocked *blocked) {
  return blocked->padded / blocked_group(blocked);
}

/** Images are worked on in so many parts, whatever the number of threads: sums have the same bits then. */
static inline int64_t blocked_slices(const struct blocked *blocked) {
  return blocked->images < BLOCKED_SLICES ? blocked->images : BLOCKED_SLICES;
}

/** Elements from the start of an image to a channel of its first position. */
static inline int64_t blocked_channel(const struct blocked *blocked, int64_t channel) {
  return channel / blocked->block * blocked->block_stride + channel % blocked->block;
}

#endif
