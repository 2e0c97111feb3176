/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "train/schedule.h"

static void steps_follow_the_paper(void **state) {
  (void)state;
  const struct schedule_spec paper = {
      .kind = SCHEDULE_STEP, .rate = 0.1, .drops = {0.5, 0.75}, .drop_count = 2, .factor = 0.1};
  assert_float_equal(schedule_rate(&paper, 0, 64000), 0.1, 1e-12);
  assert_float_equal(schedule_rate(&paper, 31999, 64000), 0.1, 1e-12);
  assert_float_equal(schedule_rate(&paper, 32000, 64000), 0.01, 1e-12);
  assert_float_equal(schedule_rate(&paper, 47999, 64000), 0.01, 1e-12);
  assert_float_equal(schedule_rate(&paper, 48000, 64000), 0.001, 1e-12);
}

static void one_cycle_rises_to_its_peak_and_falls_to_nothing(void **state) {
  (void)state;
  const struct schedule_spec cycle = {.kind = SCHEDULE_ONE_CYCLE, .rate = 0.2, .warmup = 0.2};
  assert_float_equal(schedule_rate(&cycle, 0, 1000), 0.001, 1e-12);
  assert_float_equal(schedule_rate(&cycle, 99, 1000), 0.1, 1e-12);
  assert_float_equal(schedule_rate(&cycle, 199, 1000), 0.2, 1e-12);
  assert_float_equal(schedule_rate(&cycle, 600, 1000), 0.1, 1e-12);
  assert_float_equal(schedule_rate(&cycle, 999, 1000), 0.2 / 800, 1e-12);
}

static void cosine_is_half_way_at_half_the_steps(void **state) {
  (void)state;
  const struct schedule_spec cosine = {.kind = SCHEDULE_COSINE, .rate = 0.4};
  assert_float_equal(schedule_rate(&cosine, 0, 100), 0.4, 1e-12);
  assert_float_equal(schedule_rate(&cosine, 50, 100), 0.2, 1e-12);
  assert_true(schedule_rate(&cosine, 99, 100) < 0.001);
}

static void every_rate_is_above_zero_and_at_most_the_given_one(void **state) {
  (void)state;
  for (guint kind = SCHEDULE_STEP; kind <= SCHEDULE_ONE_CYCLE; kind++)
    for (guint64 steps = 1; steps < 40; steps++)
      for (guint64 step = 0; step < steps; step++) {
        const struct schedule_spec schedule = {
            .kind = kind, .rate = 1, .warmup = 0.35, .drops = {0.5}, .drop_count = 1, .factor = 0.5};
        const double rate = schedule_rate(&schedule, step, steps);
        assert_true(rate > 0 && rate <= 1);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_follow_the_paper),
      cmocka_unit_test(one_cycle_rises_to_its_peak_and_falls_to_nothing),
      cmocka_unit_test(cosine_is_half_way_at_half_the_steps),
      cmocka_unit_test(every_rate_is_above_zero_and_at_most_the_given_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
