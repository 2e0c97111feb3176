/* SPDX-License-Identifier: MIT */
#include "statistics.h"

#include "vectors.h"

enum { CHUNK = 256 };

/* Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979). */
static void add_moments(struct moments *into, struct moments more) {
  const double total = into->count + more.count, delta = more.mean - into->mean;
  if (more.count == 0.0) return;
  into->squares += more.squares + delta * delta * into->count * more.count / total;
  into->mean += delta * more.count / total;
  into->count = total;
}

/* Float32 sums of distances from a number near the mean: short ones, so they lose nothing that matters. */
static struct moments moments_of(double count, float near, float sum, float square) {
  const double mean = sum / count, squares = square - sum * mean;
  return (struct moments){count, near + mean, squares > 0.0 ? squares : 0.0};
}

static float near_mean(const struct moments *so_far, float first) {
  return so_far->count > 0.0 ? (float)so_far->mean : first;
}

/* Adds `count` numbers from element `at` on to each of LANES moments. */
INLINE void add_lanes(const void *x, int64_t at, int64_t count, int64_t stride, const bool half,
                      struct moments into[LANES]) {
  const lanes first = load(x, at, half);
  lanes sum = {0}, square = {0};
  float means[LANES];
  for (int k = 0; k < LANES; k++) means[k] = near_mean(&into[k], first[k]);
  const lanes near = load(means, 0, false);
  for (int64_t p = 0; p < count; p++) {
    const lanes distance = load(x, at + p * stride, half) - near;
    sum += distance;
    square += distance * distance;
  }
  for (int k = 0; k < LANES; k++) add_moments(&into[k], moments_of((double)count, near[k], sum[k], square[k]));
}

INLINE void add_chunks(const void *x, int64_t at, int64_t count, int64_t stride, const bool half,
                       struct moments into[LANES]) {
  for (int64_t p = 0; p < count; p += CHUNK)
    add_lanes(x, at + p * stride, count - p < CHUNK ? count - p : CHUNK, stride, half, into);
}

/* One channel whose positions lie side by side. */
static void add_row(const float *x, int64_t count, struct moments *into) {
  struct moments parts[LANES] = {0};
  const int64_t whole = count / LANES;
  add_chunks(x, 0, whole, LANES, false, parts);
  for (int k = 0; k < LANES; k++) add_moments(into, parts[k]);
  for (int64_t p = whole * LANES; p < count; p++) add_moments(into, (struct moments){1.0, x[p], 0.0});
}

static void take(const struct blocked *layout, struct images images, const void *x, struct moments *moments) {
  const int64_t size = group_of(layout);
  for (int64_t channel = 0; channel < layout->padded; channel += size) {
    struct moments own[LANES] = {0};
    for (int64_t n = images.first; n < images.end; n++) {
      const int64_t at = n * layout->image_stride + blocked_channel(layout, channel);
      if (size == 1)
        add_row((const float *)x + at, layout->positions, own);
      else if (layout->half)
        add_chunks(x, at, layout->positions, layout->block, true, own);
      else
        add_chunks(x, at, layout->positions, layout->block, false, own);
    }
    for (int64_t k = 0; k < size; k++) moments[channel + k] = own[k];
  }
}

static void merge(const struct blocked *layout, int64_t parts, const struct moments *moments, float *mean,
                  float *variance) {
  for (int64_t c = 0; c < layout->channels; c++) {
    struct moments all = {0};
    for (int64_t k = 0; k < parts; k++) add_moments(&all, moments[k * layout->padded + c]);
    mean[c] = (float)all.mean;
    variance[c] = (float)(all.squares / all.count);
  }
}

const struct statistics_kernels KERNEL(statistics) = {.take = take, .merge = merge};
