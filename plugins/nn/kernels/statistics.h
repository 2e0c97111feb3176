/* SPDX-License-Identifier: MIT */
/**
 * Mean and variance of every channel of [n, C, H, W], to nearly full float32 precision. oneDNN's batch norm adds up
 * float32 one after another, over the whole batch, and so errs by some 1e-6 of a standard deviation in every layer,
 * which over twenty layers turns the sign of enough ReLU inputs to spoil gradients; and it reads the data twice.
 */
#ifndef NN_STATISTICS_H
#define NN_STATISTICS_H

#include "blocked.h"

struct statistics_kernels {
  /** Floats of working memory that `compute` needs. */
  int64_t (*scratch_size)(const struct blocked *layout);

  /** mean[C], variance[C] (biased) of x; scratch is aligned to 8 bytes. The same bits for any number of threads. */
  void (*compute)(const struct blocked *layout, const void *x, void *scratch, float *mean, float *variance);
};

#endif
