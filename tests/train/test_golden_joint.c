/* SPDX-License-Identifier: MIT */
/*
 * Joint steps against another implementation: argv[1] names a file that its make_golden.py wrote. The file has the
 * gradients of each aligner's loss alone, so the gradient of the task's loss is not run back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "joint.h"
#include "scratch.h"
#include "skip.h"
#include "train_test.h"

static struct safetensors *golden;

/* Runs the batch of a network of the file through network t, and forgets the gradient of the task's loss. */
static struct flight *run_task(struct joint *joint, guint t, const char *batch, guint attempt) {
  struct flight *flight = joint_task(joint, t, batch, attempt);
  memset(flight->gradient.data, 0, (gsize)dvt_tensor_count(&flight->gradient) * sizeof(float));
  return flight;
}

static void compare_gradients(const struct module *module, const float *gradients, const char *prefix) {
  for (guint k = 0; k < module->weight_count; k++)
    if (module->weights[k]->role == DVT_WEIGHT_PARAMETER)
      golden_compare(golden, prefix, module->weights[k]->name, gradients + module->offsets[k]);
}

static void compare_network(const struct flight *flight, const char *aligner) {
  g_autofree char *prefix = g_strdup_printf("%s/grad/%s/", aligner, joint_names[flight->index]);
  compare_gradients(flight->network->extractor, flight->extractor->gradients, prefix);
}

static void compare_head(const struct joint *joint, const char *prefix) {
  stepper_sum(joint->stepper);
  compare_gradients(joint_head(joint, 0)->module, joint_head(joint, 0)->passes[0]->gradients, prefix);
}

static void rotation_step(void *data, guint attempt) {
  struct joint *joint = data;
  for (guint t = 0; t < JOINT_NETWORKS; t++) {
    struct flight *flight = run_task(joint, t, t ? "b/" : "a/", attempt);
    assert_true(flight_view(flight, 0, NULL));
    joint_compare_loss(joint, 0, t, flight->losses.aligners[0]);
    compare_network(flight, "rotation");
  }
  compare_head(joint, "rotation/grad/head/");
}

static void rotation_agrees(void **state) {
  AUTO(joint) joint = joint_new(state, golden, "{plugin: rotation}");
  golden_check(golden, rotation_step, joint);
}

/* The hook once more, now that the gradient of the task's loss is forgotten. */
static void repeat_feature_loss(const struct joint *joint, struct flight *flight) {
  const struct aligner *aligner = &joint->composition->aligners[0];
  struct dvt_error fault = DVT_ERROR_INIT;
  double loss;
  pass_clear(joint_head(joint, 0)->passes[flight->index]);
  aligner->in_hook[flight->index] = TRUE;
  assert_int_equal(
      aligner->ops->feature_loss(aligner->self, &flight->batch, &flight->features, &flight->gradient, &loss, &fault),
      DVT_OK);
  assert_true(loss == flight->losses.aligners[0]);
}

static void common_step(void *data, guint attempt) {
  struct joint *joint = data;
  for (guint t = 0; t < JOINT_NETWORKS; t++) {
    struct flight *flight = run_task(joint, t, t ? "b/" : "a/", attempt);
    joint_compare_loss(joint, 0, t, flight->losses.aligners[0]);
    repeat_feature_loss(joint, flight);
    assert_true(flight_backward(flight, NULL));
    compare_network(flight, "common");
  }
  compare_head(joint, "common/grad/head/");
}

static void common_classes_agree(void **state) {
  AUTO(joint) joint = joint_new(state, golden, "{plugin: common-classes, params: {classes: [0, 1, 2, 3, 4]}}");
  golden_check(golden, common_step, joint);
}

static void distillation_step(void *data, guint attempt) {
  struct joint *joint = data;
  for (guint t = 0; t < JOINT_NETWORKS; t++) run_task(joint, t, "a/", attempt);
  assert_true(stepper_joint(joint->stepper, NULL));
  joint_compare_loss(joint, 0, JOINT_NETWORKS, joint->stepper->joint_losses[0]);
  for (guint t = 0; t < JOINT_NETWORKS; t++) {
    assert_true(flight_backward(&joint->stepper->flights[t], NULL));
    compare_network(&joint->stepper->flights[t], "distillation");
  }
}

static void distillation_agrees(void **state) {
  AUTO(joint) joint = joint_new(state, golden, "{plugin: distillation}");
  golden_check(golden, distillation_step, joint);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(rotation_agrees),
      SCRATCH_TEST(common_classes_agree),
      SCRATCH_TEST(distillation_agrees),
  };
  golden = golden_read(argc > 1 ? argv[1] : "");
  if (!golden) return skip_all("no such file of another implementation's values (docs/testing.md)");
  const int failed = cmocka_run_group_tests(tests, registry_setup, registry_teardown);
  safetensors_free(golden);
  return failed;
}
