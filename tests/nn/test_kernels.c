/* SPDX-License-Identifier: MIT */
/* Our own loops against plain ones in double, in every layout and type, by parts of the images where they can be. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kernels/kernels.h"
#include "rig.h"
#include "threads.h"

struct sample {
  gint64 n, c, h, w;
  dnnl_format_tag_t tag;
  gint64 block; /* of the tag */
};

static const struct sample samples[] = {
    {3, 16, 8, 8, dnnl_nChw8c, 8},   {2, 32, 5, 7, dnnl_nChw16c, 16}, {5, 8, 1, 1, dnnl_nChw8c, 8},
    {17, 24, 6, 3, dnnl_nhwc, 24},   {2, 12, 4, 5, dnnl_nChw8c, 8},   {3, 5, 9, 7, dnnl_nchw, 1},
    {2, 24, 3, 3, dnnl_nChw16c, 16}, {3, 20, 2, 3, dnnl_nChw16c, 16}, {3, 48, 4, 5, dnnl_nhwc, 48},
};

/* A tensor as numbers by [n][c][position], and as the kernels see it. */
struct tensor {
  const struct sample *sample;
  struct blocked layout;
  double *values;
  void *data;
};

static gsize count(const struct sample *s) { return (gsize)(s->n * s->c * s->h * s->w); }

static gsize padded_channels(const struct sample *s) { return (gsize)((s->c + s->block - 1) / s->block * s->block); }

static gsize place(const struct sample *s, gsize k) {
  const gsize positions = (gsize)(s->h * s->w), n = k / positions / (gsize)s->c, c = k / positions % (gsize)s->c;
  const gsize block = (gsize)s->block, blocks = padded_channels(s) / block;
  return ((n * blocks + c / block) * positions + k % positions) * block + c % block;
}

static float half_to_float(guint16 half) {
  const guint32 bits = (guint32)half << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static double read_at(const struct tensor *tensor, gsize k) {
  const gsize at = place(tensor->sample, k);
  return tensor->layout.half ? half_to_float(((guint16 *)tensor->data)[at]) : ((float *)tensor->data)[at];
}

/* The float32 that round to a bfloat16 evenly stay as they are: noise is cut to 8 bits first. */
static void write_at(struct tensor *tensor, gsize k, float value) {
  const gsize at = place(tensor->sample, k);
  guint32 bits;
  memcpy(&bits, &value, sizeof bits);
  if (tensor->layout.half)
    ((guint16 *)tensor->data)[at] = (guint16)(bits >> 16);
  else
    ((float *)tensor->data)[at] = value;
  tensor->values[k] = read_at(tensor, k);
}

static dnnl_memory_desc_t describe(const struct sample *s, gboolean half) {
  const dnnl_dims_t dims = {s->n, s->c, s->h, s->w};
  dnnl_memory_desc_t md;
  assert_int_equal(dnnl_memory_desc_init_by_tag(&md, 4, dims, half ? dnnl_bf16 : dnnl_f32, s->tag), dnnl_success);
  return md;
}

static gsize size_of(const struct sample *s) { return padded_channels(s) * (gsize)(s->n * s->h * s->w); }

/* Noise of a name, with zeros where there are no channels; NULL: nothing that is a number. */
static struct tensor tensor_new(const struct sample *s, gboolean half, const char *name) {
  struct tensor tensor = {.sample = s, .values = g_new0(double, count(s))};
  const dnnl_memory_desc_t md = describe(s, half);
  assert_true(blocked_init(&tensor.layout, &md));
  tensor.data = memory_floats(size_of(s), NULL);
  if (!name) memset(tensor.data, 0xff, size_of(s) * (half ? sizeof(guint16) : sizeof(float)));
  float *noise = name ? rig_noise(count(s), 5, name) : NULL;
  for (gsize k = 0; noise && k < count(s); k++) write_at(&tensor, k, noise[k]);
  free(noise);
  return tensor;
}

static void tensor_free(struct tensor *tensor) {
  g_free(tensor->values);
  free(tensor->data);
}

/* oneDNN wants zeros where a block has room for channels that are not there. */
static void assert_padded(const struct tensor *tensor) {
  const gsize size = size_of(tensor->sample);
  g_autofree guint8 *is_number = g_new0(guint8, size);
  for (gsize k = 0; k < count(tensor->sample); k++) is_number[place(tensor->sample, k)] = 1;
  for (gsize k = 0; k < size; k++) {
    if (is_number[k]) continue;
    if (tensor->layout.half)
      assert_int_equal(((guint16 *)tensor->data)[k], 0);
    else
      assert_true(((float *)tensor->data)[k] == 0.0f);
  }
}

/* Relative to the length of what was expected. Winograd multiplies by up to 64 and takes differences. */
static void assert_near(const struct tensor *tensor, const double *expected, const char *what) {
  double distance = 0, length = 0;
  assert_padded(tensor);
  for (gsize k = 0; k < count(tensor->sample); k++) {
    distance += pow(read_at(tensor, k) - expected[k], 2);
    length += pow(expected[k], 2);
  }
  if (!(sqrt(distance) <= (tensor->layout.half ? 4e-3 : 5e-6) * sqrt(length)))
    fail_msg("%s: %d channels of %dx%d, %s: off by %g", what, (int)tensor->sample->c, (int)tensor->sample->h,
             (int)tensor->sample->w, tensor->layout.half ? "bfloat16" : "float32", sqrt(distance / length));
}

static void for_samples(void (*check)(const struct sample *s, gboolean half)) {
  for (guint k = 0; k < G_N_ELEMENTS(samples); k++)
    for (int half = 0; half < (samples[k].block > 1 ? 2 : 1); half++) check(&samples[k], half);
}

/* Parts of two images, the last of what is left. */
static gint64 part_count(const struct sample *s) { return (s->n + 1) / 2; }

static struct images part_of(const struct sample *s, gint64 k) {
  return (struct images){2 * k, MIN(s->n, 2 * (k + 1))};
}

/* Numbers by channel, padded with zeros as the kernels want them. */
static float *by_channel(const struct tensor *tensor, const char *name) {
  float *numbers = memory_floats((gsize)tensor->layout.padded, NULL);
  float *noise = rig_noise((gsize)tensor->sample->c, 6, name);
  memcpy(numbers, noise, (gsize)tensor->sample->c * sizeof *numbers);
  free(noise);
  return numbers;
}

static gsize channel_of(const struct sample *s, gsize k) { return k / (gsize)(s->h * s->w) % (gsize)s->c; }

static void check_apply(const struct sample *s, gboolean half) {
  struct tensor x = tensor_new(s, half, "x"), addend = tensor_new(s, half, "addend"), y = tensor_new(s, half, NULL);
  float *scale = by_channel(&x, "scale"), *shift = by_channel(&x, "shift");
  g_autofree double *expected = g_new(double, count(s));
  for (int adds = 0; adds < 2; adds++)
    for (int relu = adds; relu < 2; relu++) {
      for (gint64 k = 0; k < part_count(s); k++)
        kernels_choose(x.layout.block)
            ->norm->apply(&x.layout, part_of(s, k), x.data, adds ? addend.data : NULL, scale, shift, relu, y.data);
      for (gsize k = 0; k < count(s); k++) {
        const gsize c = channel_of(s, k);
        expected[k] = x.values[k] * scale[c] + shift[c] + (adds ? addend.values[k] : 0);
        if (relu && expected[k] < 0) expected[k] = 0;
      }
      assert_near(&y, expected, "apply");
    }
  free(scale);
  free(shift);
  tensor_free(&x);
  tensor_free(&addend);
  tensor_free(&y);
}

static void norm_is_applied(void **state) {
  (void)state;
  for_samples(check_apply);
}

/* A gate of each kind, and where it is open. */
struct gate {
  struct norm_gate norm;
  struct tensor y;
  float *scale, *shift;
};

static struct gate gate_new(const struct tensor *x, gboolean by_output) {
  const struct sample *s = x->sample;
  struct gate gate = {.y = tensor_new(s, x->layout.half, "y"),
                      .scale = by_channel(x, "gate's scale"),
                      .shift = by_channel(x, "gate's shift")};
  for (gsize k = 0; k < count(s); k += 3) write_at(&gate.y, k, 0.0f);
  gate.norm = by_output ? (struct norm_gate){.y = gate.y.data} : (struct norm_gate){NULL, gate.scale, gate.shift};
  return gate;
}

static gboolean is_open(const struct gate *gate, const struct tensor *x, gsize k) {
  const gsize c = channel_of(x->sample, k);
  return gate->norm.y ? gate->y.values[k] != 0 : x->values[k] * gate->scale[c] + gate->shift[c] > 0;
}

static void gate_free(struct gate *gate) {
  tensor_free(&gate->y);
  free(gate->scale);
  free(gate->shift);
}

static void check_sums_with(const struct sample *s, gboolean half, gboolean by_output) {
  struct tensor x = tensor_new(s, half, "x"), g = tensor_new(s, half, "g");
  struct gate gate = gate_new(&x, by_output);
  float *mean = by_channel(&x, "mean");
  const gsize padded = (gsize)x.layout.padded;
  g_autofree double *sums = g_new0(double, 2 * padded), *more = g_new(double, 2 * padded);
  for (gint64 part = 0; part < part_count(s); part++) {
    kernels_choose(x.layout.block)->norm->sums(&x.layout, part_of(s, part), x.data, &gate.norm, g.data, mean, more);
    for (gsize k = 0; k < 2 * padded; k++) sums[k] += more[k];
  }
  for (gsize c = 0; c < (gsize)s->c; c++) {
    double wanted[2] = {0}, size[2] = {0};
    for (gsize k = 0; k < count(s); k++) {
      const double part = channel_of(s, k) == c && is_open(&gate, &x, k) ? g.values[k] : 0;
      wanted[0] += part, size[0] += fabs(part);
      wanted[1] += part * (x.values[k] - mean[c]), size[1] += fabs(part * (x.values[k] - mean[c]));
    }
    assert_true(fabs(sums[c] - wanted[0]) <= 1e-6 * size[0] + 1e-30);
    assert_true(fabs(sums[padded + c] - wanted[1]) <= 1e-6 * size[1] + 1e-30);
  }
  free(mean);
  tensor_free(&x);
  tensor_free(&g);
  gate_free(&gate);
}

static void check_sums(const struct sample *s, gboolean half) {
  check_sums_with(s, half, TRUE);
  check_sums_with(s, half, FALSE);
}

static void norm_is_summed(void **state) {
  (void)state;
  for_samples(check_sums);
}

static void check_backward_with(const struct sample *s, gboolean half, gboolean by_output) {
  struct tensor x = tensor_new(s, half, "x"), g = tensor_new(s, half, "g"), dx = tensor_new(s, half, NULL);
  struct gate gate = gate_new(&x, by_output);
  float *parts[] = {by_channel(&x, "mean"), by_channel(&x, "scale"), by_channel(&x, "slope"), by_channel(&x, "offset")};
  const struct norm_terms terms = {parts[0], parts[1], parts[2], parts[3]};
  g_autofree double *expected = g_new(double, count(s)), *masked = g_new(double, count(s));
  for (gsize k = 0; k < count(s); k++) {
    const gsize c = channel_of(s, k);
    masked[k] = is_open(&gate, &x, k) ? g.values[k] : 0;
    expected[k] = terms.scale[c] * masked[k] + terms.slope[c] * (x.values[k] - terms.mean[c]) + terms.offset[c];
  }
  for (gint64 k = 0; k < part_count(s); k++)
    kernels_choose(x.layout.block)
        ->norm->backward(&x.layout, part_of(s, k), x.data, &gate.norm, g.data, &terms, dx.data, g.data);
  assert_near(&dx, expected, "backward");
  assert_near(&g, masked, "masked gradient, in place");
  for (guint k = 0; k < G_N_ELEMENTS(parts); k++) free(parts[k]);
  tensor_free(&x);
  gate_free(&gate);
  tensor_free(&g);
  tensor_free(&dx);
}

static void check_backward(const struct sample *s, gboolean half) {
  check_backward_with(s, half, TRUE);
  check_backward_with(s, half, FALSE);
}

static void norm_goes_back(void **state) {
  (void)state;
  for_samples(check_backward);
}

static void check_mean(const struct sample *s, gboolean half) {
  struct tensor x = tensor_new(s, half, "x"), back = tensor_new(s, half, "back");
  const gsize images = (gsize)s->n, channels = (gsize)s->c, positions = (gsize)(s->h * s->w);
  float *means = memory_floats(images * channels, NULL);
  g_autofree double *expected = g_new(double, count(s));
  kernels_choose(x.layout.block)->elementwise->mean(&x.layout, x.data, means);
  for (gsize row = 0; row < images * channels; row++) {
    double sum = 0, size = 0;
    for (const double *x_row = x.values + row * positions, *p = x_row; p < x_row + positions; p++)
      sum += *p, size += fabs(*p);
    assert_true(fabs(means[row] - sum / (double)positions) <= 1e-6 * size / (double)positions);
    for (gsize p = 0; p < positions; p++) expected[row * positions + p] = means[row] / (double)positions;
  }
  kernels_choose(back.layout.block)->elementwise->spread(&back.layout, means, back.data);
  assert_near(&back, expected, "gradient of the mean");
  free(means);
  tensor_free(&x);
  tensor_free(&back);
}

static void means_are_taken(void **state) {
  (void)state;
  for (guint threads = 1; threads <= 3; threads += 2) {
    threads_limit(threads);
    for_samples(check_mean);
  }
  threads_limit(1);
}

static void numbers_are_converted(void **state) {
  (void)state;
  const float cases[] = {0.0f,  -0.0f, 1.0f,     1.00390625f, 1.01171875f, -3.14159f,
                         1e-38f, 3e38f, INFINITY, -INFINITY,   NAN};
  const guint16 expected[] = {0, 0x8000, 0x3f80, 0x3f80, 0x3f82, 0xc049, 0x006d, 0x7f62, 0x7f80, 0xff80, 0x7fc0};
  enum { CASES = G_N_ELEMENTS(cases), COUNT = 5 * CASES, GUARD = 3 }; /* more than whole vectors, with a rest */
  float numbers[COUNT], back[COUNT + GUARD];
  guint16 halves[COUNT + GUARD];
  for (guint k = 0; k < COUNT; k++) numbers[k] = cases[k % CASES];
  memset(halves, 0x55, sizeof halves);
  memset(back, 0x55, sizeof back);
  kernels_choose(1)->elementwise->to_half(COUNT, numbers, halves);
  kernels_choose(1)->elementwise->to_float(COUNT, halves, back);
  for (guint k = 0; k < COUNT; k++) {
    const guint16 half = expected[k % CASES];
    assert_int_equal(halves[k], half);
    assert_true(isnan(numbers[k]) ? isnan(back[k]) : back[k] == half_to_float(half));
  }
  for (guint k = COUNT; k < COUNT + GUARD; k++) assert_int_equal(halves[k], 0x5555);
  kernels_choose(1)->elementwise->add(COUNT - CASES + 5, false, back, numbers); /* in place, with a rest */
  for (guint k = 4; k < COUNT; k += CASES)
    assert_true(back[k] == (k < COUNT - CASES + 5 ? 1.015625f + 1.01171875f : 1.015625f));
  kernels_choose(1)->elementwise->add(3, true, halves, halves + 2); /* a rest alone */
  assert_int_equal(halves[0], 0x3f80);
}

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
  const dnnl_memory_desc_t from = describe(&c.source, half), to = describe(&c.target, half);
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
  double *y = g_new0(double, count(&c->target));
  const gint64 from = c->source.c, to = c->target.c, h = c->source.h, w = c->source.w;
  for (gint64 k = 0; k < (gint64)count(&c->target); k++)
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
    for (gint64 k = 0; k < part_count(&c.source); k++)
      kernels->run(&c.winograd, part_of(&c.source, k), c.x.data, packed, turned ? &sum : NULL, c.y.data, c.scratch);
    for (gsize k = 0; k < count(&c.target); k++) {
      if (turned) expected[k] += c.y.values[k];
      c.y.values[k] = read_at(&c.y, k);
    }
    assert_near(&c.y, expected, turned ? "Winograd, turned, added" : "Winograd");
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
  float *bias = by_channel(&c.y, "bias");
  const struct winograd_after after = {bias, addend.data, true};
  g_autofree double *expected = convolved(&c, FALSE);
  for (gsize k = 0; k < count(&c.target); k++)
    expected[k] = MAX(0.0, expected[k] + bias[channel_of(&c.target, k)] + addend.values[k]);
  kernels_choose(c.sizes[0])->winograd->pack(c.sizes, c.weights, packed);
  kernels_choose(c.winograd.block)
      ->winograd->run(&c.winograd, (struct images){0, shape->n}, c.x.data, packed, &after, c.y.data, c.scratch);
  assert_near(&c.y, expected, "Winograd with bias, sum and ReLU");
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
  for (gint64 k = 0; k < part_count(&c.source); k++)
    kernels_choose(c.winograd.block)
        ->winograd->sum(&c.winograd, part_of(&c.source, k), c.x.data, c.y.data, sums, c.scratch);
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
  const dnnl_memory_desc_t right = describe(&good, FALSE), half = describe(&good, TRUE);
  const dnnl_memory_desc_t wrong[] = {describe(&dense, FALSE), describe(&padded, FALSE), describe(&padded_more, FALSE),
                                      half};
  struct winograd winograd;
  assert_true(winograd_init(&winograd, &right, &right));
  for (guint k = 0; k < G_N_ELEMENTS(wrong); k++) {
    assert_false(winograd_init(&winograd, &wrong[k], &right));
    assert_false(winograd_init(&winograd, &right, &wrong[k]));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(norm_is_applied),
      cmocka_unit_test(norm_is_summed),
      cmocka_unit_test(norm_goes_back),
      cmocka_unit_test(means_are_taken),
      cmocka_unit_test(numbers_are_converted),
      cmocka_unit_test(winograd_convolves),
      cmocka_unit_test(winograd_takes_blocks_of_channels_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
