/* SPDX-License-Identifier: MIT */
/* Features of one network as a matrix: a row for each position of each image, a column for each channel. */
#ifndef MATRIX_H
#define MATRIX_H

#include <stdint.h>

struct matrix {
  int64_t images, channels, area; /* area: positions in an image */
  float *centred;                 /* [images, channels, area]: the mean of each channel is taken off */
};

int64_t matrix_count(const struct matrix *matrix);

/** Fills `centred` from the features of a batch, of the same shape. */
void matrix_centre(struct matrix *matrix, const float *batch);

/** X'Y / rows: writes out[x.channels, y.channels], and returns its Frobenius norm. Both have the same rows. */
double matrix_covariance(const struct matrix *x, const struct matrix *y, double *out);

/** Adds Y M', where M is [channels, y.channels], to sum[images, channels, area]. */
void matrix_add_product(const struct matrix *y, const float *m, int64_t channels, float *sum);

#endif
