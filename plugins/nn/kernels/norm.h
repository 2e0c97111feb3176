/* SPDX-License-Identifier: MIT */
/**
 * What batch norm does to a tensor once its statistics are known, with the ReLU and the sum of a residual block in the
 * same pass over memory. Vectors by channel have blocked.padded numbers, 0
 * past the last channel.
 */
#ifndef NN_NORM_H
#define NN_NORM_H

#include "blocked.h"

/** Of the gradient, by channel: dx = scale · g + slope · (x - mean) + offset. */
struct norm_terms {
  const float *mean, *scale, *slope, *offset;
};

/** A ReLU after the norm: open where its output y is not 0, or, with y NULL, where x · scale + shift is above 0. */
struct norm_gate {
  const void *y;
  const float *scale, *shift;
};

struct norm_kernels {
  /** y = x · scale + shift, plus `addend` (NULL: nothing), negative numbers set to 0 where `relu`. */
  void (*apply)(const struct blocked *layout, const void *x, const void *addend, const float *scale,
                const float *shift, bool relu, void *y);

  /** Floats of working memory that `sums` needs. */
  int64_t (*scratch_size)(const struct blocked *layout);

  /**
   * With g the gradient where the gate is open (NULL: everywhere): sum = Σ g, product = Σ g · (x - mean). scratch is
   * aligned to 8 bytes. The same bits for any number of threads.
   */
  void (*sums)(const struct blocked *layout, const void *x, const struct norm_gate *gate, const void *gradient,
               const float *mean, void *scratch, float *sum, float *product);

  /** Writes dx, and to `masked` (NULL: not wanted) g. Each may be where `gradient` is. */
  void (*backward)(const struct blocked *layout, const void *x, const struct norm_gate *gate, const void *gradient,
                   const struct norm_terms *terms, void *dx, void *masked);
};

#endif
