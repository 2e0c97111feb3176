/* SPDX-License-Identifier: MIT */
/** Loops over all elements of tensors, whatever their layout, and the mean over maps. */
#ifndef NN_ELEMENTWISE_H
#define NN_ELEMENTWISE_H

#include "blocked.h"

struct elementwise_kernels {
  /** sum += more; `half`: in bfloat16. */
  void (*add)(int64_t count, bool half, void *sum, const void *more);

  /** From float32 to bfloat16, and back. */
  void (*to_half)(int64_t count, const float *from, void *to);
  void (*to_float)(int64_t count, const void *from, float *to);

  /** means[n, C], dense: over the positions of x. */
  void (*mean)(const struct blocked *layout, const void *x, float *means);

  /** The gradient of that: to = gradient[n, C] / positions, everywhere. */
  void (*spread)(const struct blocked *layout, const float *gradient, void *to);
};

#endif
