/* SPDX-License-Identifier: MIT */
/*
 * Whole joint steps of several aligners, each with a weight of its own, against another implementation: argv[1] names a
 * file that its make_golden.py wrote. The file has the gradients of each aligner's loss alone; those of the task's loss
 * are of a step without these aligners.
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

#define WITH_HEADS                                                                                                     \
  "{plugin: rotation, weight: 0.5}, "                                                                                  \
  "{plugin: common-classes, weight: 2, params: {classes: [0, 1, 2, 3, 4]}}"

static struct safetensors *golden;

/* What aligners add to a step without them. */
struct sum {
  struct joint *with, *without; /* these aligners come behind those of `without` */
  const double *weights;
};

/* Up to the update. Network b has images of its own or, where the aligners want pairs, those of a. */
static void step(struct joint *joint, gboolean paired, guint attempt) {
  for (guint t = 0; t < JOINT_NETWORKS; t++) joint_task(joint, t, t && !paired ? "b/" : "a/", attempt);
  assert_true(stepper_joint(joint->stepper, NULL));
  for (guint t = 0; t < JOINT_NETWORKS; t++) assert_true(flight_backward(&joint->stepper->flights[t], NULL));
}

static guint first_new(const struct sum *sum) { return sum->without->composition->aligner_count; }

/* Gradients of weight w of `network` (or of a "head") by new aligners from `first` up to `last`, added to a sum. */
static void add_terms(const struct sum *sum, guint first, guint last, const char *network, const char *w, float *to) {
  for (guint k = first; k < last; k++) {
    g_autofree char *tag = joint_tag(sum->with, k), *prefix = g_strdup_printf("%s/grad/%s/", tag, network);
    golden_add(golden, prefix, w, sum->weights[k - first_new(sum)], to);
  }
}

/* `before`: gradients without the aligners from `first` up to `last`; NULL: all 0. */
static void compare(const struct sum *sum, const struct module *module, const float *gradients, const float *before,
                    guint first, guint last, const char *network) {
  for (guint w = 0; w < module->weight_count; w++) {
    if (module->weights[w]->role != DVT_WEIGHT_PARAMETER) continue;
    const gsize at = module->offsets[w], count = module_weight_elements(module, w);
    g_autofree float *expected = g_new0(float, count);
    if (before) memcpy(expected, before + at, count * sizeof *expected);
    add_terms(sum, first, last, network, module->weights[w]->name, expected);
    golden_compare_with(golden, module->weights[w]->name, gradients + at, expected, count);
  }
}

static void compare_network(const struct sum *sum, guint t) {
  const struct flight *with = &sum->with->stepper->flights[t], *without = &sum->without->stepper->flights[t];
  compare(sum, with->network->extractor, with->extractor->gradients, without->extractor->gradients, first_new(sum),
          sum->with->composition->aligner_count, joint_names[t]);
  compare(sum, with->network->head, with->head->gradients, without->head->gradients, 0, 0, joint_names[t]);
}

/* The tied head of aligner k, which learns from it alone. */
static void compare_head(const struct sum *sum, guint k) {
  const struct auxiliary *with = joint_head(sum->with, k);
  if (!with) return;
  if (k < first_new(sum))
    compare(sum, with->module, with->passes[0]->gradients, joint_head(sum->without, k)->passes[0]->gradients, k, k,
            "head");
  else
    compare(sum, with->module, with->passes[0]->gradients, NULL, k, k + 1, "head");
}

/* Losses are plain, whatever their weight. */
static void compare_losses(const struct sum *sum, guint k) {
  const struct stepper *stepper = sum->with->stepper;
  if (sum->with->composition->aligners[k].ops->joint_loss)
    joint_compare_loss(sum->with, k, JOINT_NETWORKS, stepper->joint_losses[k]);
  else
    for (guint t = 0; t < JOINT_NETWORKS; t++)
      joint_compare_loss(sum->with, k, t, stepper->flights[t].losses.aligners[k]);
}

static void compare_sum(const struct sum *sum) {
  for (guint t = 0; t < JOINT_NETWORKS; t++) compare_network(sum, t);
  for (guint k = 0; k < sum->with->composition->aligner_count; k++) compare_head(sum, k);
  for (guint k = first_new(sum); k < sum->with->composition->aligner_count; k++) compare_losses(sum, k);
}

/* Aligners as YAML, of a step with all and of one without the last. */
struct question {
  void **state;
  const char *with, *without;
  const double *weights;
  gboolean paired;
};

static void ask(void *data, guint attempt) {
  const struct question *question = data;
  AUTO(joint) with = joint_new(question->state, golden, question->with);
  AUTO(joint) without = joint_new(question->state, golden, question->without);
  step(without, question->paired, attempt);
  step(with, question->paired, attempt);
  step(with, question->paired, attempt); /* forgets the gradients of the one before */
  stepper_tie(with->stepper, 0.1);
  stepper_tie(without->stepper, 0.1);
  compare_sum(&(struct sum){with, without, question->weights});
}

static void losses_of_networks_are_weighted_and_added(void **state) {
  struct question question = {state, WITH_HEADS, "", (const double[]){0.5, 2}, FALSE};
  golden_check(golden, ask, &question);
}

static void a_loss_between_networks_is_weighted_and_added(void **state) {
  struct question question = {state, WITH_HEADS ", {plugin: distillation, weight: 3}", WITH_HEADS, (const double[]){3},
                              TRUE};
  golden_check(golden, ask, &question);
}

/* A module that is trained, and what the optimiser's formula makes of its weights, in double. */
struct trained {
  const struct module *module;
  const float *gradients;
  double *w, *v;
};

static struct trained *trained_new(const struct module *module, const float *gradients) {
  struct trained *trained = g_new(struct trained, 1);
  *trained = (struct trained){module, gradients, g_new(double, module->parameter_size),
                              g_new0(double, module->parameter_size)};
  for (gsize k = 0; k < module->parameter_size; k++) trained->w[k] = module->values[k];
  return trained;
}

static void trained_free(gpointer data) {
  struct trained *trained = data;
  g_free(trained->w);
  g_free(trained->v);
  g_free(trained);
}

static GPtrArray *all_trained(const struct joint *joint) {
  GPtrArray *all = g_ptr_array_new_with_free_func(trained_free);
  for (guint t = 0; t < JOINT_NETWORKS; t++) {
    const struct flight *flight = &joint->stepper->flights[t];
    g_ptr_array_add(all, trained_new(flight->network->extractor, flight->extractor->gradients));
    g_ptr_array_add(all, trained_new(flight->network->head, flight->head->gradients));
  }
  for (guint k = 0; k < joint->composition->aligner_count; k++)
    g_ptr_array_add(all, trained_new(joint_head(joint, k)->module, joint_head(joint, k)->passes[0]->gradients));
  return all;
}

static void compare_update(gpointer data, gpointer rate) {
  struct trained *trained = data;
  const struct module *module = trained->module;
  for (gsize k = 0; k < module->parameter_size; k++) {
    const double decay = k < module->decay_size ? joint_decay : 0;
    trained->v[k] = joint_momentum * trained->v[k] + trained->gradients[k] + decay * trained->w[k];
    trained->w[k] -= *(const double *)rate * trained->v[k];
    assert_float_equal(module->values[k], trained->w[k], 1e-6);
  }
}

/* That the gradients are right is what the other cases tell. */
static void every_weight_is_updated_by_its_gradient(void **state) {
  AUTO(joint) joint = joint_new(state, golden, WITH_HEADS);
  g_autoptr(GPtrArray) all = all_trained(joint);
  for (double rate = 0.25; rate > 0.1; rate /= 2) {
    step(joint, FALSE, 0);
    stepper_tie(joint->stepper, rate);
    for (guint t = 0; t < JOINT_NETWORKS; t++) flight_update(&joint->stepper->flights[t], rate);
    g_ptr_array_foreach(all, compare_update, &rate);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(losses_of_networks_are_weighted_and_added),
      SCRATCH_TEST(a_loss_between_networks_is_weighted_and_added),
      SCRATCH_TEST(every_weight_is_updated_by_its_gradient),
  };
  golden = golden_read(argc > 1 ? argv[1] : "");
  if (!golden) return skip_all("no such file of another implementation's values (docs/testing.md)");
  const int failed = cmocka_run_group_tests(tests, registry_setup, registry_teardown);
  safetensors_free(golden);
  return failed;
}
