/* SPDX-License-Identifier: MIT */
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

static const struct sample samples[] = {
    {5, 16, 32, 32, dnnl_nChw8c, 8}, {40, 32, 3, 7, dnnl_nChw16c, 16}, {3, 8, 1, 1, dnnl_nChw8c, 8},
    {4, 5, 9, 7, dnnl_nchw, 1},      {20, 3, 20, 20, dnnl_nchw, 1},    {1, 2, 1, 3, dnnl_nchw, 1},
    {5, 24, 5, 6, dnnl_nhwc, 24},    {3, 32, 5, 6, dnnl_nhwc, 32},     {2, 16, 32, 32, dnnl_nChw16c, 16},
};

static gsize place(const struct sample *s, gint64 n, gint64 c, gint64 p) {
  const gint64 positions = s->h * s->w;
  return (gsize)(((n * s->c / s->block + c / s->block) * positions + p) * s->block + c % s->block);
}

static void fill(const struct sample *s, float *x, double offset, double scale) {
  float *noise = rig_noise((gsize)(s->n * s->c * s->h * s->w), 3, "statistics");
  for (gint64 k = 0; k < s->n * s->c * s->h * s->w; k++) x[k] = (float)(offset + scale * noise[k]);
  free(noise);
}

static void expect(const struct sample *s, const float *x, gint64 c, double *mean, double *variance) {
  const double count = (double)(s->n * s->h * s->w);
  *mean = *variance = 0.0;
  for (gint64 n = 0; n < s->n; n++)
    for (gint64 p = 0; p < s->h * s->w; p++) *mean += x[place(s, n, c, p)] / count;
  for (gint64 n = 0; n < s->n; n++)
    for (gint64 p = 0; p < s->h * s->w; p++) *variance += pow(x[place(s, n, c, p)] - *mean, 2) / count;
}

/* In parts of so many images. */
static void compute(const struct sample *s, gint64 part, const float *x, float *mean, float *variance) {
  const dnnl_memory_desc_t md = sample_describe(s, FALSE);
  struct blocked layout;
  assert_true(blocked_init(&layout, &md));
  const gint64 parts = (s->n + part - 1) / part;
  g_autofree struct moments *moments = g_new(struct moments, parts * layout.padded);
  for (gint64 k = 0; k < parts; k++) {
    const struct images images = {k * part, MIN(s->n, (k + 1) * part)};
    kernels_choose(layout.block)->statistics->take(&layout, images, x, moments + k * layout.padded);
  }
  kernels_choose(layout.block)->statistics->merge(&layout, parts, moments, mean, variance);
}

/* Errors are measured in standard deviations: what batch norm makes of them. */
static void check(const struct sample *s, gint64 part, double offset, double scale) {
  float mean[32], variance[32], *x = memory_floats((gsize)(s->n * s->c * s->h * s->w), NULL);
  fill(s, x, offset, scale);
  compute(s, part, x, mean, variance);
  for (gint64 c = 0; c < s->c; c++) {
    double true_mean, true_variance;
    expect(s, x, c, &true_mean, &true_variance);
    const double rounding = fabs(true_mean) * 1e-7;
    assert_true(fabs(mean[c] - true_mean) <= 2e-7 * sqrt(true_variance) + rounding);
    assert_true(fabs(variance[c] - true_variance) <= 1e-6 * true_variance);
  }
  free(x);
}

static void agree_with_double(void **state) {
  (void)state;
  for (guint k = 0; k < G_N_ELEMENTS(samples); k++)
    for (gint64 part = 1; part <= 40; part += 13) {
      check(&samples[k], part, 0.0, 1.0);
      check(&samples[k], part, -3.0, 0.5);
      check(&samples[k], part, 1000.0, 1.0);
    }
}

static void constant_has_no_variance(void **state) {
  (void)state;
  float mean[32], variance[32];
  float *x = memory_floats((gsize)(samples[0].n * samples[0].c * 32 * 32), NULL);
  fill(&samples[0], x, 0.1, 0.0);
  compute(&samples[0], 2, x, mean, variance);
  for (gint64 c = 0; c < samples[0].c; c++) {
    assert_true(mean[c] == 0.1f);
    assert_true(variance[c] == 0.0f);
  }
  free(x);
}

static void other_layouts_are_refused(void **state) {
  (void)state;
  static const dnnl_format_tag_t tags[] = {dnnl_nhwc, dnnl_nChw4c, dnnl_NChw16n16c, dnnl_acbd};
  const dnnl_dims_t dims = {16, 12, 8, 8};
  for (guint k = 0; k < G_N_ELEMENTS(tags); k++) {
    dnnl_memory_desc_t md;
    struct blocked layout;
    assert_int_equal(dnnl_memory_desc_init_by_tag(&md, 4, dims, dnnl_f32, tags[k]), dnnl_success);
    assert_false(blocked_init(&layout, &md));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agree_with_double),
      cmocka_unit_test(constant_has_no_variance),
      cmocka_unit_test(other_layouts_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
