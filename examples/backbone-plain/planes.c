/* SPDX-License-Identifier: MIT */
#include "planes.h"

enum { LANES = 16 };

void shape_init(struct shape *shape, int64_t height, int64_t width) {
  shape->height = height;
  shape->width = width;
  shape->stride = width + 2;
  shape->border = shape->stride + 1;
  shape->length = (height * shape->stride + LANES - 1) / LANES * LANES;
  shape->plane = shape->length + 2 * shape->border + LANES;
}

void plane_convolve(const struct shape *shape, const float *plane, const float *kernel, float *restrict sum) {
  const float *above = plane, *middle = plane + shape->stride, *below = plane + 2 * shape->stride;
  for (int64_t k = 0; k < shape->length; k++)
    sum[k] += kernel[0] * above[k] + kernel[1] * above[k + 1] + kernel[2] * above[k + 2] + kernel[3] * middle[k] +
              kernel[4] * middle[k + 1] + kernel[5] * middle[k + 2] + kernel[6] * below[k] + kernel[7] * below[k + 1] +
              kernel[8] * below[k + 2];
}

/* In lanes, so that the compiler can use vectors: it may not reorder a sum by itself. */
void plane_kernel_gradient(const struct shape *shape, const float *plane, const float *gradient, float *slopes) {
  for (int tap = 0; tap < TAPS; tap++) {
    const float *from = plane + tap / 3 * shape->stride + tap % 3, *to = gradient + shape->border;
    float lanes[LANES] = {0};
    for (int64_t k = 0; k < shape->length; k += LANES)
      for (int lane = 0; lane < LANES; lane++) lanes[lane] += from[k + lane] * to[k + lane];
    for (int lane = 0; lane < LANES; lane++) slopes[tap] += lanes[lane];
  }
}
