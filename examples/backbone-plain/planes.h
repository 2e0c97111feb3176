/* SPDX-License-Identifier: MIT */
/*
 * Maps with a border of zeros, and 3x3 convolutions of them as long loops without a condition.
 *
 * A plane holds one channel of one image: (height + 2) rows of `stride` = width + 2 floats, with zeros all round, and a
 * few more zeros behind. What is at (y, x) of the map lies at border + y * stride + x; seen from there, the nine
 * neighbours of every point of the map have fixed distances. A loop over `length` points from `border` on does the
 * whole map, and what lies between its rows: what it sums up there is of no use.
 */
#ifndef PLANES_H
#define PLANES_H

#include <stdint.h>

enum { TAPS = 9 };

struct shape {
  int64_t height, width;
  int64_t stride, border; /* of a plane */
  int64_t length;         /* points of a loop: whole vectors */
  int64_t plane;          /* floats of a plane */
};

void shape_init(struct shape *shape, int64_t height, int64_t width);

/** Adds to sum[length], a map from its first point on, the map of `plane` convolved with the nine values of kernel. */
void plane_convolve(const struct shape *shape, const float *plane, const float *kernel, float *sum);

/** Adds to slopes[9] the gradient of plane_convolve's kernel; gradient is the plane with that of `sum`. */
void plane_kernel_gradient(const struct shape *shape, const float *plane, const float *gradient, float *slopes);

#endif
