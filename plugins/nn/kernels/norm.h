/* SPDX-License-Identifier: MIT */
/**
 * What batch norm does to a tensor once its statistics are known, with the ReLU and the sum of a residual block in the
 * same pass over memory. Vectors by channel have blocked.padded numbers, 0 past the last channel.
 */
#ifndef NN_NORM_H
#define NN_NORM_H

#include "blocked.h"

/** Of the gradient, by channel: dx = scale · g + slope · (x - mean) + offset. */
struct norm_terms {
  const float *mean, *scale, *slope, *offset;
};

/**
 * A ReLU after the norm: open where its output y is not 0, or, with y NULL, where x · scale + shift is above 0 or no
 * number.
 */
struct norm_gate {
  const void *y;
  const float *scale, *shift;
};

/** All work on some images of their tensors. */
struct norm_kernels {
  /** y = x · scale + shift, plus `addend` (NULL: nothing), negative numbers set to 0 where `relu`. */
  void (*apply)(const struct blocked *layout, struct images images, const void *x, const void *addend,
                const float *scale, const float *shift, bool relu, void *y);

  /** With g the gradient where the gate is open (NULL: everywhere): sums[0][padded] = Σ g, [1] = Σ g · (x - mean). */
  void (*sums)(const struct blocked *layout, struct images images, const void *x, const struct norm_gate *gate,
               const void *gradient, const float *mean, double *sums);

  /** Writes dx, and to `masked` (NULL: not wanted) g. Each may be where `gradient` is. */
  void (*backward)(const struct blocked *layout, struct images images, const void *x, const struct norm_gate *gate,
                   const void *gradient, const struct norm_terms *terms, void *dx, void *masked);
};

#endif
