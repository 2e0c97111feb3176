/* SPDX-License-Identifier: MIT */
/**
 * Convolution 3x3, stride 1, padding 1, by the minimal filtering algorithm F(4x4, 3x3): Lavin and Gray, "Fast
 * Algorithms for Convolutional Neural Networks" (2016), section 4. A tile of 4x4 outputs takes 36 products for each
 * pair of channels instead of 144. oneDNN has it for AVX-512 alone, and slower.
 *
 * Channels fill their blocks. Scratch, sums and packed weights are aligned to 64 bytes.
 */
#ifndef NN_WINOGRAD_H
#define NN_WINOGRAD_H

#include "blocked.h"

enum {
  WINOGRAD_TILE = 4,                                 /**< outputs on a side */
  WINOGRAD_PATCH = WINOGRAD_TILE + 2,                /**< inputs on a side */
  WINOGRAD_POINTS = WINOGRAD_PATCH * WINOGRAD_PATCH, /**< products for a pair of channels */
  WINOGRAD_ROWS = 12,                                /**< tiles that are multiplied at once, at most */
  WINOGRAD_GAP = 16 /**< floats between matrices of pairs, so that they do not fall on the same lines of a cache */
};

struct winograd {
  struct blocked source, target; /**< of the convolution: what it reads and writes, or their gradients */
  int64_t height, width;
  int64_t columns, tiles; /**< tiles in a row, in an image */
  int64_t block;          /**< channels that lie side by side in both come in multiples of it */
  int64_t chunk;          /**< tiles that are worked on together: a multiple of WINOGRAD_ROWS */
};

/** False when the shapes do not fit. Says nothing of whether it is fast. */
bool winograd_init(struct winograd *winograd, const dnnl_memory_desc_t *source, const dnnl_memory_desc_t *target);

/** Floats of packed weights, from weights of this shape, {target, source}. */
int64_t winograd_packed_size(const int64_t shape[2]);

/** Floats of working memory: a multiple of what 64 bytes hold. */
int64_t winograd_scratch_size(const struct winograd *winograd);

/** Floats of the sums that the gradient of the weights is made of: likewise. */
int64_t winograd_sums_size(const struct winograd *winograd);

/** Floats from one matrix of pairs of channels to the next. */
int64_t winograd_pairs(int64_t source, int64_t target);

/** What is done to each number of the target before it is written. */
struct winograd_after {
  const float *bias;  /**< by channel, or NULL */
  const void *addend; /**< a tensor as the target, which may be the target itself; or NULL */
  bool relu;          /**< negative numbers become 0 */
};

/** What is packed or summed has one layout, whatever the instructions: another table may go on with it. */
struct winograd_kernels {
  /** Transforms weights [target, source, 3, 3]; shape = {target, source}. */
  void (*pack)(const int64_t shape[2], const float *weights, float *packed);

  /** The same for the convolution that takes gradients back: its source is the target of that with these weights. */
  void (*pack_turned)(const int64_t shape[2], const float *weights, float *packed);

  /** target = convolution of source, and what is to be done `after` (NULL: nothing), of some images. */
  void (*run)(const struct winograd *winograd, struct images images, const void *source, const float *packed,
              const struct winograd_after *after, void *target, float *scratch);

  /** Adds what some images give to the gradient of the weights to `sums`; gradient is that of the target. */
  void (*sum)(const struct winograd *winograd, struct images images, const void *source, const void *gradient,
              float *sums, float *scratch);

  /** Adds the gradient that the sums make to weights [target, source, 3, 3]. */
  void (*add_sums)(const struct winograd *winograd, const float *sums, float *weights);
};

#endif
