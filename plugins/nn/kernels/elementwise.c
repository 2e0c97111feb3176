/* SPDX-License-Identifier: MIT */
#include "elementwise.h"

#include "threads.h"
#include "vectors.h"

enum { PIECE = 16 * 1024 }; /* elements that one thread works on at a time */

struct work {
  const struct blocked *layout;
  int64_t count;
  const void *from;
  void *to;
  bool half; /* of both, where both have one type */
};

static void for_pieces(struct work *work, void (*body)(void *work, int64_t piece)) {
  threads_run((work->count + PIECE - 1) / PIECE, body, work);
}

static int64_t end_of(const struct work *work, int64_t piece) {
  const int64_t end = (piece + 1) * PIECE;
  return end < work->count ? end : work->count;
}

INLINE void add_some(const struct work *work, int64_t at, const bool half, const int64_t n) {
  const lanes sum = load_some(work->to, at, half, n) + load_some(work->from, at, half, n);
  store_some(work->to, at, sum, half, n);
}

INLINE void add_vectors(const struct work *work, int64_t piece, const bool half) {
  const int64_t end = end_of(work, piece);
  int64_t at = piece * PIECE;
  for (; at + LANES <= end; at += LANES) add_some(work, at, half, LANES);
  if (at < end) add_some(work, at, half, end - at);
}

static void add_piece(void *data, int64_t piece) {
  const struct work *work = data;
  if (work->half)
    add_vectors(work, piece, true);
  else
    add_vectors(work, piece, false);
}

static void add(int64_t count, bool half, void *sum, const void *more) {
  struct work work = {.count = count, .from = more, .to = sum, .half = half};
  for_pieces(&work, add_piece);
}

/* From one type to the other. */
INLINE void convert(const struct work *work, int64_t piece, const bool to_half) {
  const int64_t end = end_of(work, piece);
  int64_t at = piece * PIECE;
  for (; at + LANES <= end; at += LANES) store(work->to, at, load(work->from, at, !to_half), to_half);
  if (at < end) store_some(work->to, at, load_some(work->from, at, !to_half, end - at), to_half, end - at);
}

static void to_half_piece(void *data, int64_t piece) { convert(data, piece, true); }

static void to_half(int64_t count, const float *from, void *to) {
  struct work work = {.count = count, .from = from, .to = to};
  for_pieces(&work, to_half_piece);
}

static void to_float_piece(void *data, int64_t piece) { convert(data, piece, false); }

static void to_float(int64_t count, const void *from, float *to) {
  struct work work = {.count = count, .from = from, .to = to};
  for_pieces(&work, to_float_piece);
}

INLINE void mean_of_block(const struct work *work, int64_t image, const bool half) {
  const struct blocked *layout = work->layout;
  float *means = (float *)work->to + image * layout->channels;
  for (int64_t c = 0; c < layout->channels; c += LANES) {
    const int64_t start = image * layout->image_stride + blocked_channel(layout, c);
    lanes sum = {0};
    for (int64_t p = 0; p < layout->positions; p++) sum += load(work->from, start + p * layout->block, half);
    for (int k = 0; k < LANES && c + k < layout->channels; k++) means[c + k] = sum[k] / (float)layout->positions;
  }
}

static void mean_of_rows(const struct work *work, int64_t image) {
  const struct blocked *layout = work->layout;
  for (int64_t c = 0; c < layout->channels; c++) {
    const float *row = (const float *)work->from + image * layout->image_stride + c * layout->block_stride;
    float sum = 0;
    for (int64_t p = 0; p < layout->positions; p++) sum += row[p];
    ((float *)work->to)[image * layout->channels + c] = sum / (float)layout->positions;
  }
}

static void mean_image(void *data, int64_t image) {
  const struct work *work = data;
  if (work->layout->block == 1)
    mean_of_rows(work, image);
  else if (work->layout->half)
    mean_of_block(work, image, true);
  else
    mean_of_block(work, image, false);
}

static void mean(const struct blocked *layout, const void *x, float *means) {
  struct work work = {.layout = layout, .from = x, .to = means};
  threads_run(layout->images, mean_image, &work);
}

INLINE void spread_to_block(const struct work *work, int64_t image, const bool half) {
  const struct blocked *layout = work->layout;
  const float *gradient = (const float *)work->from + image * layout->channels;
  for (int64_t c = 0; c < layout->padded; c += LANES) {
    const int64_t start = image * layout->image_stride + blocked_channel(layout, c);
    lanes share = {0};
    for (int k = 0; k < LANES && c + k < layout->channels; k++) share[k] = gradient[c + k] / (float)layout->positions;
    for (int64_t p = 0; p < layout->positions; p++) store(work->to, start + p * layout->block, share, half);
  }
}

static void spread_to_rows(const struct work *work, int64_t image) {
  const struct blocked *layout = work->layout;
  for (int64_t c = 0; c < layout->channels; c++) {
    float *row = (float *)work->to + image * layout->image_stride + c * layout->block_stride;
    const float share = ((const float *)work->from)[image * layout->channels + c] / (float)layout->positions;
    for (int64_t p = 0; p < layout->positions; p++) row[p] = share;
  }
}

static void spread_image(void *data, int64_t image) {
  const struct work *work = data;
  if (work->layout->block == 1)
    spread_to_rows(work, image);
  else if (work->layout->half)
    spread_to_block(work, image, true);
  else
    spread_to_block(work, image, false);
}

static void spread(const struct blocked *layout, const float *gradient, void *to) {
  struct work work = {.layout = layout, .from = gradient, .to = to};
  threads_run(layout->images, spread_image, &work);
}

const struct elementwise_kernels KERNEL(elementwise) = {
    .add = add, .to_half = to_half, .to_float = to_float, .mean = mean, .spread = spread};
