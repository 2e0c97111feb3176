/* SPDX-License-Identifier: MIT */
/*
 * Some tiles at a time, so that what they become stays in the second-level cache: transform them (36 numbers for a tile
 * and channel), multiply (36 products of matrices tiles x source and source x target), transform back. The gradient of
 * the weights is the transposed algorithm: the same transform of the source, the transposed of the transform back for
 * the gradient, and the sum of products over tiles.
 */
#include "winograd.h"

#include "vectors.h"

enum {
  TILE = WINOGRAD_TILE,
  PATCH = WINOGRAD_PATCH,
  POINTS = WINOGRAD_POINTS,
  /* Of a matrix that are multiplied at once: with two vectors a row they fill 16 registers of AVX2, 32 of AVX-512. */
  ROWS = LANES == 16 ? WINOGRAD_ROWS : WINOGRAD_ROWS / 2,
  CHANNEL_ROWS = LANES == 16 ? 8 : 4, /* the same where rows are channels */
  LINE = 64,                          /* bytes of a cache line */
  AHEAD = 1                           /* tiles that memory is asked for ahead */
};

static int64_t round_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

static int64_t pairs_of(const struct winograd *winograd) {
  return winograd_pairs(winograd->source.channels, winograd->target.channels);
}

/* The transforms of one row or column: to[k * step]. */

INLINE void transform_source(const lanes d[PATCH], lanes *to, int step) {
  const lanes even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1];
  const lanes half = d[4] - d[2], twice = 2.0f * (d[3] - d[1]);
  to[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
  to[step] = even + odd;
  to[2 * step] = even - odd;
  to[3 * step] = half + twice;
  to[4 * step] = half - twice;
  to[5 * step] = 4.0f * d[1] - 5.0f * d[3] + d[5];
}

INLINE void transform_back(const lanes m[PATCH], lanes *to, int step) {
  const lanes sum = m[1] + m[2], difference = m[1] - m[2], sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  to[0] = m[0] + sum + sum2;
  to[step] = difference + 2.0f * difference2;
  to[2 * step] = sum + 4.0f * sum2;
  to[3 * step] = difference + 8.0f * difference2 + m[5];
}

INLINE void transform_gradient(const lanes g[TILE], lanes *to, int step) {
  const lanes even = g[0] + g[2], odd = g[1] + g[3];
  const lanes even2 = g[0] + 4.0f * g[2], odd2 = 2.0f * g[1] + 8.0f * g[3];
  to[0] = g[0];
  to[step] = even + odd;
  to[2 * step] = even - odd;
  to[3 * step] = even2 + odd2;
  to[4 * step] = even2 - odd2;
  to[5 * step] = g[3];
}

static const float weights_matrix[PATCH][3] = {{1.0f / 4, 0, 0},
                                               {-1.0f / 6, -1.0f / 6, -1.0f / 6},
                                               {-1.0f / 6, 1.0f / 6, -1.0f / 6},
                                               {1.0f / 24, 1.0f / 12, 1.0f / 6},
                                               {1.0f / 24, -1.0f / 12, 1.0f / 6},
                                               {0, 0, 1}};

/* from[0], from[apart], … */
INLINE lanes gather(const float *from, int64_t apart) {
  float numbers[LANES];
  for (int k = 0; k < LANES; k++) numbers[k] = from[k * apart];
  return load(numbers, 0, false);
}

INLINE void scatter_add(float *to, int64_t apart, lanes numbers) {
  for (int k = 0; k < LANES; k++) to[k * apart] += numbers[k];
}

/* Of LANES pairs of channels, whose weights begin `apart` floats from each other, to packed[point * stride]. */
INLINE void pack_pairs(const float *weights, int64_t apart, float *packed, int64_t stride, const bool turned) {
  lanes rows[PATCH][3];
  for (int x = 0; x < 3; x++) {
    lanes w[3];
    for (int y = 0; y < 3; y++) w[y] = gather(weights + (turned ? 8 - (3 * y + x) : 3 * y + x), apart);
    for (int i = 0; i < PATCH; i++)
      rows[i][x] = weights_matrix[i][0] * w[0] + weights_matrix[i][1] * w[1] + weights_matrix[i][2] * w[2];
  }
  for (int i = 0; i < PATCH; i++)
    for (int j = 0; j < PATCH; j++) {
      const float *m = weights_matrix[j];
      *(lanes *)(packed + (i * PATCH + j) * stride) = m[0] * rows[i][0] + m[1] * rows[i][1] + m[2] * rows[i][2];
    }
}

static void pack(const int64_t shape[2], const float *weights, float *packed) {
  const int64_t target = shape[0], source = shape[1], stride = winograd_pairs(source, target);
  for (int64_t k = 0; k < target; k += LANES)
    for (int64_t c = 0; c < source; c++)
      pack_pairs(weights + 9 * (k * source + c), 9 * source, packed + c * target + k, stride, false);
}

static void pack_turned(const int64_t shape[2], const float *weights, float *packed) {
  const int64_t target = shape[0], source = shape[1], stride = winograd_pairs(source, target);
  for (int64_t k = 0; k < target * source; k += LANES) pack_pairs(weights + 9 * k, 9, packed + k, stride, true);
}

/* Where a tile lies. */
struct place {
  int64_t image, y, x; /* of its first output */
};

static struct place place_of(const struct winograd *winograd, int64_t tile) {
  const int64_t within = tile % winograd->tiles;
  return (struct place){tile / winograd->tiles, within / winograd->columns * TILE, within % winograd->columns * TILE};
}

/* Whether `count` rows and columns from (y, x) on all lie in the map. */
static bool is_inside(const struct winograd *winograd, int64_t y, int64_t x, int count) {
  return y >= 0 && x >= 0 && y + count <= winograd->height && x + count <= winograd->width;
}

/* The map of LANES channels of an image. */
struct view {
  const void *tensor;
  int64_t start, block; /* elements */
};

static inline struct view view_of(const struct blocked *blocked, const void *tensor, int64_t image, int64_t channel) {
  return (struct view){tensor, image * blocked->image_stride + blocked_channel(blocked, channel), blocked->block};
}

/* One row of a patch or a tile: `count` vectors from column x on, zeros outside the map. */
INLINE void load_row(const struct winograd *winograd, const struct view *view, int64_t y, int64_t x, const int count,
                     const bool inside, const bool half, lanes *row) {
  const bool row_inside = inside || (y >= 0 && y < winograd->height);
  const int64_t from = view->start + (y * winograd->width + x) * view->block;
  for (int j = 0; j < count; j++) {
    const bool is_there = inside || (row_inside && x + j >= 0 && x + j < winograd->width);
    row[j] = is_there ? load(view->tensor, from + j * view->block, half) : (lanes){0};
  }
}

/* Rows, then columns; to[point * stride]. */
INLINE void store_points(lanes rows[PATCH][PATCH], bool gradient, float *to, int64_t stride) {
  for (int j = 0; j < PATCH; j++) {
    lanes column[PATCH], point[PATCH];
    for (int i = 0; i < (gradient ? TILE : PATCH); i++) column[i] = rows[i][j];
    if (gradient)
      transform_gradient(column, point, 1);
    else
      transform_source(column, point, 1);
    for (int i = 0; i < PATCH; i++) *(lanes *)(to + (i * PATCH + j) * stride) = point[i];
  }
}

INLINE void take_patch(const struct winograd *winograd, const void *source, struct place place, const bool inside,
                       const bool half, float *to) {
  const struct blocked *blocked = &winograd->source;
  for (int64_t c = 0; c < blocked->channels; c += LANES) {
    const struct view view = view_of(blocked, source, place.image, c);
    lanes rows[PATCH][PATCH];
    for (int i = 0; i < PATCH; i++) {
      lanes row[PATCH];
      load_row(winograd, &view, place.y + i - 1, place.x - 1, PATCH, inside, half, row);
      transform_source(row, rows[i], 1);
    }
    store_points(rows, false, to + c, blocked->channels);
  }
}

INLINE void take_gradient(const struct winograd *winograd, const void *gradient, struct place place, const bool inside,
                          const bool half, float *to) {
  const struct blocked *blocked = &winograd->target;
  for (int64_t c = 0; c < blocked->channels; c += LANES) {
    const struct view view = view_of(blocked, gradient, place.image, c);
    lanes rows[PATCH][PATCH];
    for (int i = 0; i < TILE; i++) {
      lanes row[TILE];
      load_row(winograd, &view, place.y + i, place.x, TILE, inside, half, row);
      transform_gradient(row, rows[i], 1);
    }
    store_points(rows, true, to + c, blocked->channels);
  }
}

/* Asks for what tile `place` adds to those before it: the patches overlap, these parts do not. */
INLINE void prefetch(const struct winograd *winograd, const struct blocked *blocked, const void *tensor,
                     struct place place) {
  const int64_t size = blocked->half ? sizeof(uint16_t) : sizeof(float), row = winograd->width * blocked->block * size;
  if (place.image >= blocked->images) return;
  for (int64_t c = 0; c < blocked->channels; c += LANES) {
    const struct view view = view_of(blocked, tensor, place.image, c);
    const char *start = (const char *)tensor + view.start * size + place.y * row + place.x * blocked->block * size;
    for (int i = 0; i < TILE; i++)
      for (int64_t at = 0; at < TILE * LANES * size; at += LINE) __builtin_prefetch(start + i * row + at);
  }
}

/* All channels of a tile, to[point * channels + channel]. */
INLINE void take_source(const struct winograd *winograd, const void *source, struct place place, const bool half,
                        float *to) {
  if (is_inside(winograd, place.y - 1, place.x - 1, PATCH))
    take_patch(winograd, source, place, true, half, to);
  else
    take_patch(winograd, source, place, false, half, to);
}

INLINE void take_target(const struct winograd *winograd, const void *gradient, struct place place, const bool half,
                        float *to) {
  if (is_inside(winograd, place.y, place.x, TILE))
    take_gradient(winograd, gradient, place, true, half, to);
  else
    take_gradient(winograd, gradient, place, false, half, to);
}

/* What compilers make loops of their own for: nothing comes after, a sum alone, or anything. */
enum after { AFTER_NOTHING, AFTER_SUM, AFTER_ANY };

INLINE lanes finish(const struct winograd_after *after, const enum after kind, lanes value, int64_t channel, int64_t at,
                    const bool half) {
  if (kind == AFTER_NOTHING) return value;
  if (kind == AFTER_ANY && after->bias) value += *(const lanes *)(after->bias + channel);
  if (kind == AFTER_SUM || after->addend) value += load(after->addend, at, half);
  if (kind == AFTER_ANY && after->relu) value = (lanes)((words)value & ~(words)(value < 0.0f));
  return value;
}

INLINE void put_tile(const struct winograd *winograd, const float *from, struct place place,
                     const struct winograd_after *after, const enum after kind, const bool half, void *target) {
  const struct blocked *blocked = &winograd->target;
  const int64_t height = winograd->height - place.y, width = winograd->width - place.x;
  for (int64_t c = 0; c < blocked->channels; c += LANES) {
    const struct view view = view_of(blocked, target, place.image, c);
    lanes rows[TILE][PATCH];
    for (int j = 0; j < PATCH; j++) {
      lanes column[PATCH];
      for (int i = 0; i < PATCH; i++) column[i] = *(const lanes *)(from + (i * PATCH + j) * blocked->channels + c);
      transform_back(column, &rows[0][j], PATCH);
    }
    for (int i = 0; i < TILE && i < height; i++) {
      lanes row[TILE];
      const int64_t to = view.start + ((place.y + i) * winograd->width + place.x) * blocked->block;
      transform_back(rows[i], row, 1);
      for (int j = 0; j < TILE && j < width; j++) {
        const int64_t at = to + j * blocked->block;
        store(target, at, finish(after, kind, row[j], c, at, half), half);
      }
    }
  }
}

/* A matrix read or written by rows; `step` from one number of a row to the next. */
struct factor {
  const float *data;
  int64_t row, step;
};

/* to[r][n] = (add: +=) Σ_k a[r][k] b[k][n], for `rows` rows and `vectors` vectors of columns. */
INLINE void multiply_block(struct factor a, struct factor b, int64_t depth, float *to, int64_t to_row, const int rows,
                           const int vectors, const bool add) {
  lanes sum[ROWS][2];
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) sum[r][v] = add ? *(lanes *)(to + r * to_row + v * LANES) : (lanes){0};
  for (int64_t k = 0; k < depth; k++) {
    const lanes *from = (const lanes *)(b.data + k * b.row);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
      for (int v = 0; v < vectors; v++) sum[r][v] += a.data[r * a.row + k * a.step] * from[v];
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) *(lanes *)(to + r * to_row + v * LANES) = sum[r][v];
}

static inline struct factor part(struct factor whole, int64_t row, int64_t column) {
  return (struct factor){whole.data + row * whole.row + column * whole.step, whole.row, whole.step};
}

/* count: of rows, a multiple of `rows`. */
INLINE void multiply(struct factor a, int64_t count, struct factor b, int64_t columns, int64_t depth, float *to,
                     int64_t to_row, const int rows, const bool add) {
  int64_t n = 0;
  for (; n + 2 * LANES <= columns; n += 2 * LANES)
    for (int64_t r = 0; r < count; r += rows)
      multiply_block(part(a, r, 0), part(b, 0, n), depth, to + r * to_row + n, to_row, rows, 2, add);
  for (int64_t r = 0; n < columns && r < count; r += rows)
    multiply_block(part(a, r, 0), part(b, 0, n), depth, to + r * to_row + n, to_row, rows, 1, add);
}

struct work {
  const struct winograd *winograd;
  const void *source, *gradient; /* of the target, where weights are trained */
  const float *packed;
  void *target;
  float *sums, *scratch;
  const struct winograd_after *after;
};

INLINE void run_chunk(const struct work *work, int64_t first, int64_t count, const enum after after, const bool half) {
  const struct winograd *winograd = work->winograd;
  const int64_t from = winograd->source.channels, to = winograd->target.channels;
  const int64_t patch = POINTS * from, product = POINTS * to;
  float *patches = work->scratch, *products = patches + winograd->chunk * patch;
  for (int64_t t = 0; t < count; t++) {
    prefetch(winograd, &winograd->source, work->source, place_of(winograd, first + t + AHEAD));
    take_source(winograd, work->source, place_of(winograd, first + t), half, patches + t * patch);
  }
  for (int p = 0; p < POINTS; p++) {
    const struct factor a = {patches + p * from, patch, 1}, b = {work->packed + p * pairs_of(winograd), to, 1};
    multiply(a, round_up(count, ROWS), b, to, from, products + p * to, product, ROWS, false);
  }
  for (int64_t t = 0; t < count; t++) {
    prefetch(winograd, &winograd->target, work->target, place_of(winograd, first + t + AHEAD));
    put_tile(winograd, products + t * product, place_of(winograd, first + t), work->after, after, half, work->target);
  }
}

INLINE void sum_chunk(const struct work *work, int64_t first, int64_t count, const bool half) {
  const struct winograd *winograd = work->winograd;
  const int64_t from = winograd->source.channels, to = winograd->target.channels;
  const int64_t patch = POINTS * from, product = POINTS * to;
  float *patches = work->scratch, *gradients = patches + winograd->chunk * patch;
  for (int64_t t = 0; t < count; t++) {
    const struct place place = place_of(winograd, first + t), next = place_of(winograd, first + t + AHEAD);
    prefetch(winograd, &winograd->source, work->source, next);
    prefetch(winograd, &winograd->target, work->gradient, next);
    take_source(winograd, work->source, place, half, patches + t * patch);
    take_target(winograd, work->gradient, place, half, gradients + t * product);
  }
  for (int p = 0; p < POINTS; p++) {
    const struct factor a = {patches + p * from, 1, patch}, b = {gradients + p * to, product, 1};
    multiply(a, from, b, to, count, work->sums + p * pairs_of(winograd), to, CHANNEL_ROWS, true);
  }
}

static void for_chunks(const struct work *work, struct images images,
                       void (*body)(const struct work *work, int64_t first, int64_t count)) {
  const int64_t chunk = work->winograd->chunk, end = images.end * work->winograd->tiles;
  for (int64_t first = images.first * work->winograd->tiles; first < end; first += chunk)
    body(work, first, end - first < chunk ? end - first : chunk);
}

INLINE void run_as(const struct work *work, int64_t first, int64_t count, const bool half) {
  const struct winograd_after *after = work->after;
  if (!after)
    run_chunk(work, first, count, AFTER_NOTHING, half);
  else if (after->addend && !after->bias && !after->relu)
    run_chunk(work, first, count, AFTER_SUM, half);
  else
    run_chunk(work, first, count, AFTER_ANY, half);
}

static void run_floats(const struct work *work, int64_t first, int64_t count) { run_as(work, first, count, false); }

static void run_halves(const struct work *work, int64_t first, int64_t count) { run_as(work, first, count, true); }

static void sum_floats(const struct work *work, int64_t first, int64_t count) { sum_chunk(work, first, count, false); }

static void sum_halves(const struct work *work, int64_t first, int64_t count) { sum_chunk(work, first, count, true); }

static void run(const struct winograd *winograd, struct images images, const void *source, const float *packed,
                const struct winograd_after *after, void *target, float *scratch) {
  const struct work work = {
      .winograd = winograd, .source = source, .packed = packed, .target = target, .scratch = scratch, .after = after};
  for_chunks(&work, images, winograd->source.half ? run_halves : run_floats);
}

static void sum(const struct winograd *winograd, struct images images, const void *source, const void *gradient,
                float *sums, float *scratch) {
  const struct work work = {
      .winograd = winograd, .source = source, .gradient = gradient, .sums = sums, .scratch = scratch};
  for_chunks(&work, images, winograd->source.half ? sum_halves : sum_floats);
}

/* Adds what LANES pairs of channels make, points[point * stride], to weights that begin `apart` floats from each other.
 */
INLINE void add_pairs(const float *points, int64_t stride, float *weights, int64_t apart) {
  lanes rows[3][PATCH] = {0};
  for (int j = 0; j < PATCH; j++)
    for (int i = 0; i < PATCH; i++) {
      const lanes point = *(const lanes *)(points + (i * PATCH + j) * stride);
      for (int y = 0; y < 3; y++) rows[y][j] += weights_matrix[i][y] * point;
    }
  for (int y = 0; y < 3; y++)
    for (int x = 0; x < 3; x++) {
      lanes sum = {0};
      for (int j = 0; j < PATCH; j++) sum += weights_matrix[j][x] * rows[y][j];
      scatter_add(weights + 3 * y + x, apart, sum);
    }
}

static void add_sums(const struct winograd *winograd, const float *sums, float *weights) {
  const int64_t from = winograd->source.channels, to = winograd->target.channels, stride = pairs_of(winograd);
  for (int64_t k = 0; k < to; k += LANES)
    for (int64_t c = 0; c < from; c++) add_pairs(sums + c * to + k, stride, weights + 9 * (k * from + c), 9 * from);
}

const struct winograd_kernels KERNEL(winograd) = {
    .pack = pack, .pack_turned = pack_turned, .run = run, .sum = sum, .add_sums = add_sums};
