/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/random.h"
#include "plugin/tensors.h"
#include "rig.h"

enum { ELEMENTS = RIG_BATCH * RIG_FEATURES, FROZEN_A = 1, FROZEN_B = 2, FROZEN_C = 4 };

static const double weight = 0.75;
static const float before = 0.5f; /* in every gradient that the aligner adds to */

/* What joint_loss works on. */
struct step {
  float features[RIG_NETWORKS][ELEMENTS], gradients[RIG_NETWORKS][ELEMENTS];
  double loss;
};

static void draw_features(struct step *step) {
  guint32 words[ELEMENTS];
  for (guint t = 0; t < RIG_NETWORKS; t++) {
    random_words(random_stream(1, "features"), 0, t, words, ELEMENTS);
    for (guint k = 0; k < ELEMENTS; k++) step->features[t][k] = (float)random_below(words[k], 1000) / 250 - 2;
  }
}

static void run(struct rig *rig, struct step *step, guint count, guint frozen, guint threads) {
  static const gint64 shape[] = {2, 3, 3};
  const struct dvt_batch batch = {
      .struct_size = sizeof batch, .weight = weight, .count = RIG_BATCH, .threads = threads};
  const struct dvt_batch *batches[RIG_NETWORKS];
  struct dvt_tensor tensors[2][RIG_NETWORKS], *gradients[RIG_NETWORKS];
  const struct dvt_tensor *features[RIG_NETWORKS];
  for (guint t = 0; t < count; t++) {
    for (guint k = 0; k < ELEMENTS; k++) step->gradients[t][k] = before;
    tensors[0][t] = tensor_maps(step->features[t], RIG_BATCH, shape);
    tensors[1][t] = tensor_maps(step->gradients[t], RIG_BATCH, shape);
    batches[t] = &batch;
    features[t] = &tensors[0][t];
    gradients[t] = frozen >> t & 1 ? NULL : &tensors[1][t];
  }
  step->loss = -1;
  assert_int_equal(rig->ops->joint_loss(rig->aligner, batches, features, gradients, count, &step->loss, &rig->fault),
                   DVT_OK);
}

/* The mean squared difference of networks a and b. */
static double difference(const struct step *step, guint a, guint b) {
  double sum = 0;
  for (guint k = 0; k < ELEMENTS; k++) sum += pow((double)step->features[a][k] - step->features[b][k], 2);
  return sum / ELEMENTS;
}

static void assert_near(double value, double expected) {
  if (!(fabs(value - expected) <= 1e-6 * fabs(expected))) fail_msg("%.9g, expected %.9g", value, expected);
}

/* The loss is quadratic, so differences give its slope but for rounding, however far apart. */
static double slope(struct rig *rig, struct step *step, guint count, guint frozen, guint t, guint k) {
  const float distance = 0.5f, here = step->features[t][k];
  step->features[t][k] = here + distance;
  run(rig, step, count, frozen, 1);
  const double above = step->loss;
  step->features[t][k] = here - distance;
  run(rig, step, count, frozen, 1);
  step->features[t][k] = here;
  return (above - step->loss) / (2 * (double)distance);
}

static void check_gradients(struct rig *rig, guint count, guint frozen) {
  struct step step, moved;
  draw_features(&step);
  assert_int_equal(rig_init(rig, "distillation", NULL, count), DVT_OK);
  run(rig, &step, count, frozen, 2);
  moved = step;
  for (guint t = 0; t < count; t++)
    for (guint k = 0; k < ELEMENTS; k += 7) {
      const double expected = frozen >> t & 1 ? 0 : weight * slope(rig, &moved, count, frozen, t, k);
      const double gradient = (double)step.gradients[t][k] - before;
      if (!(fabs(gradient - expected) <= 1e-6))
        fail_msg("network %u, element %u: %g, expected %g", t, k, gradient, expected);
    }
}

static void gradients_are_those_of_the_loss(void **state) {
  check_gradients(*state, 2, 0);
  check_gradients(*state, 2, FROZEN_A);
  check_gradients(*state, 3, 0);
  check_gradients(*state, 3, FROZEN_B);
  check_gradients(*state, 3, FROZEN_A | FROZEN_C);
}

static void the_loss_is_the_mean_over_the_pairs_that_are_trained(void **state) {
  struct rig *rig = *state;
  struct step step;
  draw_features(&step);
  const double ab = difference(&step, 0, 1), ac = difference(&step, 0, 2), bc = difference(&step, 1, 2);
  assert_int_equal(rig_init(rig, "distillation", NULL, 3), DVT_OK);
  run(rig, &step, 2, 0, 1);
  assert_near(step.loss, ab);
  run(rig, &step, 2, FROZEN_A, 1);
  assert_near(step.loss, ab);
  run(rig, &step, 3, 0, 1);
  assert_near(step.loss, (ab + ac + bc) / 3);
  run(rig, &step, 3, FROZEN_C, 1);
  assert_near(step.loss, (ab + ac + bc) / 3);
  run(rig, &step, 3, FROZEN_A | FROZEN_B, 1);
  assert_near(step.loss, (ac + bc) / 2);
}

static void nothing_to_draw_together_is_no_loss(void **state) {
  struct rig *rig = *state;
  struct step step;
  draw_features(&step);
  assert_int_equal(rig_init(rig, "distillation", NULL, 3), DVT_OK);
  run(rig, &step, 1, 0, 1);
  assert_true(step.loss == 0 && step.gradients[0][0] == before);
  run(rig, &step, 3, FROZEN_A | FROZEN_B | FROZEN_C, 1);
  assert_true(step.loss == 0);
}

static void threads_change_no_bit(void **state) {
  struct rig *rig = *state;
  struct step alone, together;
  memset(&alone, 0, sizeof alone);
  draw_features(&alone);
  together = alone;
  assert_int_equal(rig_init(rig, "distillation", NULL, 3), DVT_OK);
  run(rig, &alone, 3, FROZEN_B, 1);
  for (guint threads = 2; threads < 5; threads++) {
    run(rig, &together, 3, FROZEN_B, threads);
    assert_memory_equal(&together, &alone, sizeof alone);
  }
}

static void features_must_have_one_shape(void **state) {
  struct rig *rig = *state;
  rig->networks[2].split = "layer1";
  rig->networks[2].features[0] = 1;
  rig->networks[2].features[1] = rig->networks[2].features[2] = 6;
  assert_int_equal(rig_init(rig, "distillation", NULL, 2), DVT_OK);
  rig_refuses(rig, "distillation", NULL, 3,
              "network a has features of 2 x 3 x 3 after layer2, network c of 1 x 6 x 6 after layer1; features of one "
              "shape are needed");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      RIG_TEST(gradients_are_those_of_the_loss),     RIG_TEST(the_loss_is_the_mean_over_the_pairs_that_are_trained),
      RIG_TEST(nothing_to_draw_together_is_no_loss), RIG_TEST(threads_change_no_bit),
      RIG_TEST(features_must_have_one_shape),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
