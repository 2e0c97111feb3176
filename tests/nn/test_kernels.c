/* SPDX-License-Identifier: MIT */
/* Batch norm, means and conversions of our own against plain ones in double, in every layout and type. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tensors.h"
#include "threads.h"

static const struct sample samples[] = {
    {3, 16, 8, 8, dnnl_nChw8c, 8},   {2, 32, 5, 7, dnnl_nChw16c, 16}, {5, 8, 1, 1, dnnl_nChw8c, 8},
    {17, 24, 6, 3, dnnl_nhwc, 24},   {2, 12, 4, 5, dnnl_nChw8c, 8},   {3, 5, 9, 7, dnnl_nchw, 1},
    {2, 24, 3, 3, dnnl_nChw16c, 16}, {3, 20, 2, 3, dnnl_nChw16c, 16}, {3, 48, 4, 5, dnnl_nhwc, 48},
};

static void for_samples(void (*check)(const struct sample *s, gboolean half)) {
  for (guint k = 0; k < G_N_ELEMENTS(samples); k++)
    for (int half = 0; half < (samples[k].block > 1 ? 2 : 1); half++) check(&samples[k], half);
}

static void check_apply(const struct sample *s, gboolean half) {
  struct tensor x = tensor_new(s, half, "x"), addend = tensor_new(s, half, "addend"), y = tensor_new(s, half, NULL);
  float *scale = tensor_by_channel(&x, "scale"), *shift = tensor_by_channel(&x, "shift");
  g_autofree double *expected = g_new(double, sample_size(s));
  for (int adds = 0; adds < 2; adds++)
    for (int relu = adds; relu < 2; relu++) {
      for (gint64 k = 0; k < sample_parts(s); k++)
        kernels_choose(x.layout.block)
            ->norm->apply(&x.layout, sample_part(s, k), x.data, adds ? addend.data : NULL, scale, shift, relu, y.data);
      for (gsize k = 0; k < sample_size(s); k++) {
        const gsize c = sample_channel(s, k);
        expected[k] = x.values[k] * scale[c] + shift[c] + (adds ? addend.values[k] : 0);
        if (relu && expected[k] < 0) expected[k] = 0;
      }
      tensor_assert_near(&y, expected, "apply");
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
                      .scale = tensor_by_channel(x, "gate's scale"),
                      .shift = tensor_by_channel(x, "gate's shift")};
  for (gsize k = 0; k < sample_size(s); k += 3) tensor_write(&gate.y, k, 0.0f);
  gate.norm = by_output ? (struct norm_gate){.y = gate.y.data} : (struct norm_gate){NULL, gate.scale, gate.shift};
  return gate;
}

static gboolean is_open(const struct gate *gate, const struct tensor *x, gsize k) {
  const gsize c = sample_channel(x->sample, k);
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
  float *mean = tensor_by_channel(&x, "mean");
  const gsize padded = (gsize)x.layout.padded;
  g_autofree double *sums = g_new0(double, 2 * padded), *more = g_new(double, 2 * padded);
  for (gint64 part = 0; part < sample_parts(s); part++) {
    kernels_choose(x.layout.block)->norm->sums(&x.layout, sample_part(s, part), x.data, &gate.norm, g.data, mean, more);
    for (gsize k = 0; k < 2 * padded; k++) sums[k] += more[k];
  }
  for (gsize c = 0; c < (gsize)s->c; c++) {
    double wanted[2] = {0}, size[2] = {0};
    for (gsize k = 0; k < sample_size(s); k++) {
      const double part = sample_channel(s, k) == c && is_open(&gate, &x, k) ? g.values[k] : 0;
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
  float *parts[] = {tensor_by_channel(&x, "mean"), tensor_by_channel(&x, "scale"), tensor_by_channel(&x, "slope"),
                    tensor_by_channel(&x, "offset")};
  const struct norm_terms terms = {parts[0], parts[1], parts[2], parts[3]};
  g_autofree double *expected = g_new(double, sample_size(s)), *masked = g_new(double, sample_size(s));
  for (gsize k = 0; k < sample_size(s); k++) {
    const gsize c = sample_channel(s, k);
    masked[k] = is_open(&gate, &x, k) ? g.values[k] : 0;
    expected[k] = terms.scale[c] * masked[k] + terms.slope[c] * (x.values[k] - terms.mean[c]) + terms.offset[c];
  }
  for (gint64 k = 0; k < sample_parts(s); k++)
    kernels_choose(x.layout.block)
        ->norm->backward(&x.layout, sample_part(s, k), x.data, &gate.norm, g.data, &terms, dx.data, g.data);
  tensor_assert_near(&dx, expected, "backward");
  tensor_assert_near(&g, masked, "masked gradient, in place");
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
  g_autofree double *expected = g_new(double, sample_size(s));
  kernels_choose(x.layout.block)->elementwise->mean(&x.layout, x.data, means);
  for (gsize row = 0; row < images * channels; row++) {
    double sum = 0, size = 0;
    for (const double *x_row = x.values + row * positions, *p = x_row; p < x_row + positions; p++)
      sum += *p, size += fabs(*p);
    assert_true(fabs(means[row] - sum / (double)positions) <= 1e-6 * size / (double)positions);
    for (gsize p = 0; p < positions; p++) expected[row * positions + p] = means[row] / (double)positions;
  }
  kernels_choose(back.layout.block)->elementwise->spread(&back.layout, means, back.data);
  tensor_assert_near(&back, expected, "gradient of the mean");
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
  const float cases[] = {0.0f,   -0.0f, 1.0f,     1.00390625f, 1.01171875f, -3.14159f,
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
    assert_true(isnan(numbers[k]) ? isnan(back[k]) : back[k] == tensors_half_to_float(half));
  }
  for (guint k = COUNT; k < COUNT + GUARD; k++) assert_int_equal(halves[k], 0x5555);
  kernels_choose(1)->elementwise->add(COUNT - CASES + 5, false, back, numbers); /* in place, with a rest */
  for (guint k = 4; k < COUNT; k += CASES)
    assert_true(back[k] == (k < COUNT - CASES + 5 ? 1.015625f + 1.01171875f : 1.015625f));
  kernels_choose(1)->elementwise->add(3, true, halves, halves + 2); /* a rest alone */
  assert_int_equal(halves[0], 0x3f80);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(norm_is_applied), cmocka_unit_test(norm_is_summed),        cmocka_unit_test(norm_goes_back),
      cmocka_unit_test(means_are_taken), cmocka_unit_test(numbers_are_converted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
