/* SPDX-License-Identifier: MIT */
#include "matrix.h"

#include <math.h>

int64_t matrix_count(const struct matrix *matrix) { return matrix->images * matrix->channels * matrix->area; }

void matrix_centre(struct matrix *matrix, const float *batch) {
  const int64_t channels = matrix->channels, area = matrix->area;
  for (int64_t c = 0; c < channels; c++) {
    double sum = 0;
    for (int64_t n = 0; n < matrix->images; n++)
      for (int64_t at = 0; at < area; at++) sum += batch[(n * channels + c) * area + at];
    const float mean = (float)(sum / (double)(matrix->images * area));
    for (int64_t n = 0; n < matrix->images; n++)
      for (int64_t at = (n * channels + c) * area; at < (n * channels + c + 1) * area; at++)
        matrix->centred[at] = batch[at] - mean;
  }
}

/* In lanes, so that the compiler can use vectors: it may not reorder a sum by itself. */
static double dot(const float *x, const float *y, int64_t count) {
  enum { LANES = 16 };
  float lanes[LANES] = {0};
  double sum = 0;
  int64_t k = 0;
  for (; k + LANES <= count; k += LANES)
    for (int lane = 0; lane < LANES; lane++) lanes[lane] += x[k + lane] * y[k + lane];
  for (; k < count; k++) sum += (double)x[k] * y[k];
  for (int lane = 0; lane < LANES; lane++) sum += lanes[lane];
  return sum;
}

double matrix_covariance(const struct matrix *x, const struct matrix *y, double *out) {
  const int64_t p = x->channels, q = y->channels, area = x->area;
  double squares = 0;
  for (int64_t i = 0; i < p; i++)
    for (int64_t j = 0; j < q; j++) {
      double sum = 0;
      for (int64_t n = 0; n < x->images; n++)
        sum += dot(x->centred + (n * p + i) * area, y->centred + (n * q + j) * area, area);
      out[i * q + j] = sum / (double)(x->images * area);
      squares += out[i * q + j] * out[i * q + j];
    }
  return sqrt(squares);
}

void matrix_add_product(const struct matrix *y, const float *m, int64_t channels, float *sum) {
  const int64_t q = y->channels, area = y->area;
  for (int64_t n = 0; n < y->images; n++)
    for (int64_t i = 0; i < channels; i++)
      for (int64_t j = 0; j < q; j++) {
        const float *restrict row = y->centred + (n * q + j) * area;
        float *restrict to = sum + (n * channels + i) * area;
        for (int64_t at = 0; at < area; at++) to[at] += m[i * q + j] * row[at];
      }
}
