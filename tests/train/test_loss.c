/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "train/loss.h"

enum { N = 4, CLASSES = 3 };

static const float sample[N * CLASSES] = {0.5f, -1.0f, 2.0f, 0.1f, 0.2f, 0.3f, 3.0f, 0.0f, -3.0f, 1.0f, 1.5f, -0.5f};

static double loss_of(const float *logits, const gint32 *labels, double weight, float *gradient, guint *correct) {
  memcpy(gradient, logits, sizeof(float) * N * CLASSES);
  return loss_cross_entropy(gradient, N, CLASSES, labels, weight, correct);
}

static void is_the_mean_negative_log_probability(void **state) {
  (void)state;
  const gint32 labels[N] = {2, 0, 0, 1};
  float gradient[N * CLASSES];
  double expected = 0;
  for (guint k = 0; k < N; k++) {
    double sum = 0;
    for (guint c = 0; c < CLASSES; c++) sum += exp(sample[k * CLASSES + c]);
    expected -= log(exp(sample[k * CLASSES + labels[k]]) / sum) / N;
  }
  guint correct;
  assert_float_equal(loss_of(sample, labels, 1, gradient, &correct), expected, 1e-7);
  assert_int_equal(correct, 3);
}

static void gradient_agrees_with_finite_differences(void **state) {
  (void)state;
  const gint32 labels[N] = {2, -1, 0, 1};
  const double weight = 2.5, step = 1e-2;
  float gradient[N * CLASSES], ignored[N * CLASSES], moved[N * CLASSES];
  loss_of(sample, labels, weight, gradient, NULL);
  for (guint k = 0; k < N * CLASSES; k++) {
    memcpy(moved, sample, sizeof moved);
    moved[k] = sample[k] + (float)step;
    const double up = loss_of(moved, labels, weight, ignored, NULL);
    moved[k] = sample[k] - (float)step;
    const double down = loss_of(moved, labels, weight, ignored, NULL);
    assert_float_equal(gradient[k], weight * (up - down) / (2 * step), 1e-4);
  }
}

static void examples_without_a_label_count_in_the_mean_alone(void **state) {
  (void)state;
  const gint32 all[N] = {2, 0, 0, 1}, one[N] = {2, -1, -1, -1}, rest[N] = {-1, 0, 0, 1}, none[N] = {-1, -1, -1, -1};
  float gradient[N * CLASSES];
  guint correct;
  const double sum = loss_of(sample, one, 1, gradient, NULL) + loss_of(sample, rest, 1, gradient, NULL);
  assert_float_equal(sum, loss_of(sample, all, 1, gradient, NULL), 1e-7);
  assert_float_equal(loss_of(sample, none, 1, gradient, &correct), 0, 0);
  assert_int_equal(correct, 0);
  for (guint k = 0; k < N * CLASSES; k++) assert_true(gradient[k] == 0);
}

static void huge_logits_do_not_overflow(void **state) {
  (void)state;
  float logits[] = {1e30f, -1e30f};
  const gint32 labels[] = {0};
  assert_float_equal(loss_cross_entropy(logits, 1, 2, labels, 1, NULL), 0, 0);
  assert_true(isfinite(logits[0]) && isfinite(logits[1]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_the_mean_negative_log_probability),
      cmocka_unit_test(gradient_agrees_with_finite_differences),
      cmocka_unit_test(examples_without_a_label_count_in_the_mean_alone),
      cmocka_unit_test(huge_logits_do_not_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
