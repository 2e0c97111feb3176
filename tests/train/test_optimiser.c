/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "train/optimiser.h"

enum { DECAYING = 3, PARAMETERS = 5, ALL = 6, STEPS = 4 };

static guint changes;

static void changed(void *module) {
  (void)module;
  changes++;
}

static const struct dvt_module_ops ops = {.struct_size = sizeof ops, .changed = changed};

static float gradient_at(guint step, guint k) { return (float)(0.3 * (double)(k + 1) - 0.1 * step); }

/* Runs some steps and compares every value with the formula of the header in double. */
static void check_against_formula(const struct optimiser_config *config) {
  const double rate = 0.1;
  float values[ALL], gradients[PARAMETERS];
  double w[ALL], v[PARAMETERS] = {0};
  for (guint k = 0; k < ALL; k++) values[k] = (float)(w[k] = 1.0 - 0.25 * k);
  struct module module = {
      .ops = &ops, .values = values, .decay_size = DECAYING, .parameter_size = PARAMETERS, .size = ALL};
  AUTO(optimiser) optimiser = optimiser_new(&module, config, NULL);
  changes = 0;
  for (guint step = 0; step < STEPS; step++) {
    for (guint k = 0; k < PARAMETERS; k++) {
      gradients[k] = gradient_at(step, k);
      const double g = gradients[k] + (k < DECAYING ? config->weight_decay * w[k] : 0);
      v[k] = config->momentum * v[k] + g;
      w[k] -= rate * (config->nesterov ? g + config->momentum * v[k] : v[k]);
    }
    optimiser_step(optimiser, gradients, rate);
  }
  for (guint k = 0; k < ALL; k++) assert_float_equal(values[k], w[k], 1e-6);
  assert_int_equal(changes, STEPS);
}

static void momentum_and_decay(void **state) {
  (void)state;
  check_against_formula(&(struct optimiser_config){.momentum = 0.9, .weight_decay = 0.05});
}

static void nesterov(void **state) {
  (void)state;
  check_against_formula(&(struct optimiser_config){.momentum = 0.9, .weight_decay = 0.05, .nesterov = TRUE});
}

static void plain_descent(void **state) {
  (void)state;
  check_against_formula(&(struct optimiser_config){0});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(momentum_and_decay),
      cmocka_unit_test(nesterov),
      cmocka_unit_test(plain_descent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
