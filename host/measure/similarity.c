/* SPDX-License-Identifier: MIT */
#include "measure/similarity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "measure/assignment.h"

/* Channels go in blocks of so many, positions outside: a block with a block is a loop that keeps to registers. */
enum { LANES = 4 };

/* Floats of a block in the matrix of an image: the positions, and one row for the image's own mean. */
static gsize block_size(const struct deviations *deviations) { return ((gsize)deviations->positions + 1) * LANES; }

static guint padded(const struct deviations *deviations) { return deviations->blocks * LANES; }

struct deviations *deviations_new(const gint64 shape[3], guint capacity, GError **error) {
  AUTO(deviations) made = g_new0(struct deviations, 1);
  memcpy(made->shape, shape, sizeof made->shape);
  made->positions = (guint)(shape[1] * shape[2]);
  made->blocks = (guint)((shape[0] + LANES - 1) / LANES);
  made->mean = g_new0(double, shape[0]);
  made->rows = memory_doubles(block_size(made) * made->blocks * capacity, error);
  return made->rows ? g_steal_pointer(&made) : NULL;
}

void deviations_free(struct deviations *deviations) {
  if (!deviations) return;
  g_free(deviations->mean);
  free(deviations->rows);
  g_free(deviations);
}

/*
 * One channel of one image, into its lane of the image's matrix: deviations from the image's own mean, and a last row
 * whose products are what they lack to deviations from the mean of all (Chan, Golub and LeVeque, 1983). So nothing is
 * ever the difference of two large sums. Returns the mean, which is finite when all values are.
 */
static double take_channel(const float *values, guint positions, guint64 images, double mean, double *lane) {
  double sum = 0;
  for (guint p = 0; p < positions; p++) sum += (double)values[p];
  const double own = sum / positions, weight = positions * ((double)images / (double)(images + 1));
  for (guint p = 0; p < positions; p++) lane[(gsize)p * LANES] = (double)values[p] - own;
  lane[(gsize)positions * LANES] = (own - mean) * sqrt(weight);
  return own;
}

gboolean deviations_take(struct deviations *deviations, const float *features, guint count) {
  const gsize block = block_size(deviations);
  const guint channels = (guint)deviations->shape[0];
  double *rows = deviations->rows;
  deviations->count = count;
  for (guint k = 0; k < count; k++, rows += deviations->blocks * block, deviations->images++)
    for (guint c = 0; c < channels; c++, features += deviations->positions) {
      double *mean = &deviations->mean[c], *lane = rows + c / LANES * block + c % LANES;
      const double own = take_channel(features, deviations->positions, deviations->images, *mean, lane);
      if (!isfinite(own)) return FALSE;
      *mean += (own - *mean) / (double)(deviations->images + 1);
    }
  return TRUE;
}

struct products *products_new(const struct deviations *a, const struct deviations *b, GError **error) {
  struct products *new = g_new0(struct products, 1);
  *new = (struct products){.a = a, .b = b, .sums = memory_doubles((gsize)padded(a) * padded(b), error)};
  if (new->sums) return new;
  products_free(new);
  return NULL;
}

void products_free(struct products *products) {
  if (!products) return;
  free(products->sums);
  g_free(products);
}

/* sums [LANES × LANES, rows `stride` apart] += aᵀ b, of blocks [rows × LANES]. */
static void add_block(const double *restrict a, const double *restrict b, gsize rows, double *restrict sums,
                      gsize stride) {
  double sum[LANES][LANES] = {{0}};
  for (gsize r = 0; r < rows; r++, a += LANES, b += LANES)
    for (guint i = 0; i < LANES; i++)
      for (guint j = 0; j < LANES; j++) sum[i][j] += a[i] * b[j];
  for (guint i = 0; i < LANES; i++)
    for (guint j = 0; j < LANES; j++) sums[i * stride + j] += sum[i][j];
}

/* With itself only half: the other half would be the same, to the bit. */
void products_add(struct products *products, guint block) {
  const struct deviations *a = products->a, *b = products->b;
  const gsize size = block_size(a), stride = padded(b);
  double *sums = products->sums + block * LANES * stride;
  for (guint k = 0; k < a->count; k++) {
    const double *of_a = a->rows + ((gsize)k * a->blocks + block) * size;
    const double *of_b = b->rows + (gsize)k * b->blocks * size;
    for (guint j = a == b ? block : 0; j < b->blocks; j++)
      add_block(of_a, of_b + j * size, size / LANES, sums + j * LANES, stride);
  }
}

static double sum_of(const struct products *products, guint i, guint j) {
  if (products->a == products->b && j < i) return sum_of(products, j, i);
  return products->sums[(gsize)i * padded(products->b) + j];
}

static GArray *channels_where(const struct products *own, gboolean alive) {
  GArray *list = g_array_new(FALSE, FALSE, sizeof(guint));
  for (guint c = 0; c < own->a->shape[0]; c++)
    if ((sum_of(own, c, c) > 0) == alive) g_array_append_val(list, c);
  return list;
}

/* Of live channels: i of a with j of b. */
static double correlation(const struct products *aa, const struct products *bb, const struct products *ab, guint i,
                          guint j) {
  const double exact = sum_of(ab, i, j) / sqrt(sum_of(aa, i, i) * sum_of(bb, j, j));
  return CLAMP(exact, -1.0, 1.0);
}

static double mean_at_same_index(const struct products *aa, const struct products *bb, const struct products *ab) {
  double sum = 0;
  guint count = 0;
  for (guint c = 0; c < aa->a->shape[0]; c++)
    if (sum_of(aa, c, c) > 0 && sum_of(bb, c, c) > 0) sum += correlation(aa, bb, ab, c, c), count++;
  return count ? sum / count : (double)NAN;
}

static double mean_after_matching(const struct products *aa, const struct products *bb, const struct products *ab) {
  g_autoptr(GArray) a = channels_where(aa, TRUE), b = channels_where(bb, TRUE);
  const gboolean turned = a->len > b->len; /* the side with fewer live channels gets the rows */
  const gsize rows = MIN(a->len, b->len), columns = MAX(a->len, b->len), cells = rows * columns;
  g_autofree double *score = g_new(double, cells);
  g_autofree guint *column_of = g_new(guint, rows);
  for (guint i = 0; i < a->len; i++)
    for (guint j = 0; j < b->len; j++)
      score[turned ? j * columns + i : i * columns + j] =
          correlation(aa, bb, ab, g_array_index(a, guint, i), g_array_index(b, guint, j));
  assignment_best(score, (guint)rows, (guint)columns, column_of);
  double sum = 0;
  for (gsize row = 0; row < rows; row++) sum += score[row * columns + column_of[row]];
  return rows ? sum / (double)rows : (double)NAN;
}

static double frobenius(const struct products *products) {
  double sum = 0;
  for (guint i = 0; i < products->a->shape[0]; i++)
    for (guint j = 0; j < products->b->shape[0]; j++) {
      const double value = sum_of(products, i, j);
      sum += value * value;
    }
  return sqrt(sum);
}

struct similarity similarity_measure(const struct products *aa, const struct products *bb, const struct products *ab) {
  const double norm = frobenius(ab);
  struct similarity similarity = similarity_none();
  similarity.dead[0] = channels_where(aa, FALSE);
  similarity.dead[1] = channels_where(bb, FALSE);
  similarity.cka = norm * norm / (frobenius(aa) * frobenius(bb));
  if (aa->a->shape[0] != bb->a->shape[0]) return similarity;
  similarity.correlation = mean_at_same_index(aa, bb, ab);
  similarity.matched_correlation = mean_after_matching(aa, bb, ab);
  return similarity;
}

struct similarity similarity_none(void) {
  return (struct similarity){.correlation = (double)NAN, .matched_correlation = (double)NAN, .cka = (double)NAN};
}

struct similarity similarity_reversed(const struct similarity *similarity) {
  struct similarity reversed = *similarity;
  for (guint side = 0; side < 2; side++)
    reversed.dead[side] = similarity->dead[1 - side] ? g_array_copy(similarity->dead[1 - side]) : NULL;
  return reversed;
}

void similarity_clear(struct similarity *similarity) {
  for (guint side = 0; side < 2; side++) g_clear_pointer(&similarity->dead[side], g_array_unref);
}
