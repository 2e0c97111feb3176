/* SPDX-License-Identifier: MIT */
/* Winograd's convolutions against plain ones in double, in every layout and type, by parts of the images. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "rig.h"
#include "tensors.h"

/* A convolution of `from` channels to `to`. */
struct shape {
  gint64 n, from, to, h, w;
  dnnl_format_tag_t tag;
  gint64 block; /* 0: all channels of each */
};

static const struct shape shapes[] = {
    {3, 16, 16, 8, 8, dnnl_nChw8c, 8},     {2, 8, 24, 5, 7, dnnl_nChw8c, 8},  {1, 32, 16, 1, 1, dnnl_nChw16c, 16},
    {9, 24, 8, 3, 10, dnnl_nChw8c, 8},     {2, 64, 64, 4, 4, dnnl_nChw8c, 8}, {40, 16, 48, 6, 2, dnnl_nChw16c, 16},
    {2, 16, 32, 13, 11, dnnl_nChw16c, 16}, {2, 24, 16, 5, 4, dnnl_nhwc, 0},   {2, 16, 24, 5, 4, dnnl_nhwc, 0},
    {3, 48, 32, 5, 9, dnnl_nhwc, 0},
};

static double tap(const struct tensor *x, gint64 n, gint64 c, gint64 y, gint64 z) {
  const struct sample *s = x->sample;
  if (y < 0 || z < 0 || y >= s->h || z >= s->w) return 0;
  return x->values[((n * s->c + c) * s->h + y) * s->w + z];
}

struct convolution {
  struct sample source, target;
  struct winograd winograd;
  struct tensor x, y;
  float *weights, *scratch;
  gint64 sizes[2]; /* target, source */
};

static gint64 block_of(const struct shape *shape, gint64 channels) { return shape->block ? shape->block : channels; }

static struct convolution convolution_new(const struct shape *shape, gboolean half) {
  struct convolution c = {
      .source = {shape->n, shape->from, shape->h, shape->w, shape->tag, block_of(shape, shape->from)},
      .target = {shape->n, shape->to, shape->h, shape->w, shape->tag, block_of(shape, shape->to)},
      .sizes = {shape->to, shape->from}};
  const dnnl_memory_desc_t from = sample_describe(&c.source, half), to = sample_describe(&c.target, half);
  assert_true(winograd_init(&c.winograd, &from, &to));
  c.weights = rig_noise((gsize)(9 * shape->from * shape->to), 7, "weights");
  c.scratch = memory_floats((gsize)winograd_scratch_size(&c.winograd), NULL);
  return c;
}

static void convolution_free(struct convolution *c) {
  free(c->weights);
  free(c->scratch);
  tensor_free(&c->x);
  tensor_free(&c->y);
}

/* Of the convolution of x, or with the weights turned of that which takes gradients back. */
static double *convolved(const struct convolution *c, gboolean turned) {
  double *y = g_new0(double, sample_size(&c->target));
  const gint64 from = c->source.c, to = c->target.c, h = c->source.h, w = c->source.w;
  for (gint64 k = 0; k < (gint64)sample_size(&c->target); k++)
    for (gint64 i = 0; i < from; i++)
      for (gint64 t = 0; t < 9; t++) {
        const gint64 o = k / (h * w) % to;
        const float weight = turned ? c->weights[9 * (i * to + o) + 8 - t] : c->weights[9 * (o * from + i) + t];
        y[k] += weight * tap(&c->x, k / (h * w) / to, i, k / w % h + t / 3 - 1, k % w + t % 3 - 1);
      }
  return y;
}

static void check_run(const struct shape *shape, gboolean half) {
  struct convolution c = convolution_new(shape, half);
  const gint64 turned_sizes[] = {shape->from, shape->to};
  float *packed = memory_floats((gsize)winograd_packed_size(c.sizes), NULL);
  c.x = tensor_new(&c.source, half, "x");
  c.y = tensor_new(&c.target, half, "before");
  for (int turned = 0; turned < 2; turned++) {
    g_autofree double *expected = convolved(&c, turned);
    const struct winograd_kernels *kernels = kernels_choose(c.winograd.block)->winograd;
    if (turned)
      kernels_choose(turned_sizes[0])->winograd->pack_turned(turned_sizes, c.weights, packed);
    else
      kernels_choose(c.sizes[0])->winograd->pack(c.sizes, c.weights, packed);
    const struct winograd_after sum = {.addend = c.y.data}; /* the second adds to what the first left */
    for (gint64 k = 0; k < sample_parts(&c.source); k++)
      kernels->run(&c.winograd, sample_part(&c.source, k), c.x.data, packed, turned ? &sum : NULL, c.y.data, c.scratch);
    for (gsize k = 0; k < sample_size(&c.target); k++) {
      if (turned) expected[k] += c.y.values[k];
      c.y.values[k] = tensor_read(&c.y, k);
    }
    tensor_assert_near(&c.y, expected, turned ? "Winograd, turned, added" : "Winograd");
  }
  free(packed);
  convolution_free(&c);
}

/* All that can come after: bias, a sum and ReLU. */
static void check_after(const struct shape *shape, gboolean half) {
  struct convolution c = convolution_new(shape, half);
  float *packed = memory_floats((gsize)winograd_packed_size(c.sizes), NULL);
  c.x = tensor_new(&c.source, half, "x");
  c.y = tensor_new(&c.target, half, NULL);
  struct tensor addend = tensor_new(&c.target, half, "addend");
  float *bias = tensor_by_channel(&c.y, "bias");
  const struct winograd_after after = {bias, addend.data, true};
  g_autofree double *expected = convolved(&c, FALSE);
  for (gsize k = 0; k < sample_size(&c.target); k++)
    expected[k] = MAX(0.0, expected[k] + bias[sample_channel(&c.target, k)] + addend.values[k]);
  kernels_choose(c.sizes[0])->winograd->pack(c.sizes, c.weights, packed);
  kernels_choose(c.winograd.block)
      ->winograd->run(&c.winograd, (struct images){0, shape->n}, c.x.data, packed, &after, c.y.data, c.scratch);
  tensor_assert_near(&c.y, expected, "Winograd with bias, sum and ReLU");
  free(packed);
  free(bias);
  tensor_free(&addend);
  convolution_free(&c);
}

static void check_weights(const struct shape *shape, gboolean half) {
  struct convolution c = convolution_new(shape, half);
  c.x = tensor_new(&c.source, half, "x");
  c.y = tensor_new(&c.target, half, "gradient");
  const gint64 from = shape->from, h = shape->h, w = shape->w;
  double distance = 0, length = 0;
  float *got = g_memdup2(c.weights, (gsize)(9 * from * shape->to) * sizeof *got);
  float *sums = memory_floats((gsize)winograd_sums_size(&c.winograd), NULL);
  memset(sums, 0, (gsize)winograd_sums_size(&c.winograd) * sizeof *sums);
  for (gint64 k = 0; k < sample_parts(&c.source); k++)
    kernels_choose(c.winograd.block)
        ->winograd->sum(&c.winograd, sample_part(&c.source, k), c.x.data, c.y.data, sums, c.scratch);
  kernels_choose(c.winograd.block)->winograd->add_sums(&c.winograd, sums, got);
  free(sums);
  for (gint64 k = 0; k < 9 * from * shape->to; k++) {
    double expected = c.weights[k];
    for (gint64 n = 0; n < shape->n; n++)
      for (gint64 p = 0; p < h * w; p++)
        expected += tap(&c.y, n, k / 9 / from, p / w, p % w) *
                    tap(&c.x, n, k / 9 % from, p / w + k % 9 / 3 - 1, p % w + k % 3 - 1);
    distance += pow(got[k] - expected, 2);
    length += pow(expected, 2);
  }
  if (!(sqrt(distance) <= 5e-6 * sqrt(length))) fail_msg("gradient of weights: off by %g", sqrt(distance / length));
  g_free(got);
  convolution_free(&c);
}

static void winograd_convolves(void **state) {
  (void)state;
  for (guint k = 0; k < G_N_ELEMENTS(shapes); k++)
    for (int half = 0; half < 2; half++) {
      check_run(&shapes[k], half);
      check_after(&shapes[k], half);
      check_weights(&shapes[k], half);
    }
}

static void winograd_takes_blocks_of_channels_alone(void **state) {
  (void)state;
  const struct sample dense = {1, 16, 4, 4, dnnl_nchw, 1}, good = {1, 16, 4, 4, dnnl_nChw8c, 8};
  const struct sample padded = {1, 12, 4, 4, dnnl_nChw8c, 8}, padded_more = {1, 24, 4, 4, dnnl_nChw16c, 16};
  const dnnl_memory_desc_t right = sample_describe(&good, FALSE), half = sample_describe(&good, TRUE);
  const dnnl_memory_desc_t wrong[] = {sample_describe(&dense, FALSE), sample_describe(&padded, FALSE),
                                      sample_describe(&padded_more, FALSE), half};
  struct winograd winograd;
  assert_true(winograd_init(&winograd, &right, &right));
  for (guint k = 0; k < G_N_ELEMENTS(wrong); k++) {
    assert_false(winograd_init(&winograd, &wrong[k], &right));
    assert_false(winograd_init(&winograd, &right, &wrong[k]));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(winograd_convolves),
      cmocka_unit_test(winograd_takes_blocks_of_channels_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
