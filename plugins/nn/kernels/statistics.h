/* SPDX-License-Identifier: MIT */
/**
 * Mean and variance of every channel of [n, C, H, W], to nearly full float32 precision. oneDNN's batch norm adds up
 * float32 one after another, over the whole batch, and so errs by some 1e-6 of a standard deviation in every layer,
 * which over twenty layers turns the sign of enough ReLU inputs to spoil gradients; and it reads the data twice.
 */
#ifndef NN_STATISTICS_H
#define NN_STATISTICS_H

#include "blocked.h"

/** Of some numbers: how many, their mean, the sum of their squared distances from it. */
struct moments {
  double count, mean, squares;
};

struct statistics_kernels {
  /** moments[padded channels] of some images. */
  void (*take)(const struct blocked *layout, struct images images, const void *x, struct moments *moments);

  /** mean[C], variance[C] (biased) from the moments of all parts. */
  void (*merge)(const struct blocked *layout, int64_t parts, const struct moments *moments, float *mean,
                float *variance);
};

#endif
