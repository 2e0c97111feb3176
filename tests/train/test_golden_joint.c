/* SPDX-License-Identifier: MIT */
/*
 * Joint steps against another implementation: argv[1] names a file that its make_golden.py wrote. Everything is the
 * real thing (experiment, plugins, step) but the random numbers: image k is turned by k % 4 quarters, as there. The
 * file has the gradients of each aligner's loss alone, so the gradient of the task's loss is not run back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "golden.h"
#include "scratch.h"
#include "skip.h"
#include "train/step.h"

enum { NETWORKS = 2 };

static struct safetensors *golden;
static struct registry *registry;
static struct dataset_pool *pool;

static const char *const names[NETWORKS] = {"a", "b"};

static const char experiment_text[] = "name: golden\n"
                                      "data: {plugin: shapes, params: {train: 64, test: 10}}\n"
                                      "networks:\n"
                                      "  a: &network\n"
                                      "    backbone: {plugin: resnet, params: {depth: %s}}\n"
                                      "    split: layer2\n"
                                      "    head: {plugin: resnet-tail, params: {depth: %s}}\n"
                                      "  b: *network\n"
                                      "aligners: [%s]\n"
                                      "train: {batch: %u, steps: 1, threads: 2, precision: float32}\n";

/* Two networks and an aligner, ready for a step. */
struct joint {
  struct experiment *experiment;
  struct composition *composition;
  struct stepper *stepper;
  float *images;
  gint32 *labels;
};

static struct experiment *make_experiment(void **state, const char *aligner, guint batch) {
  const char *depth = golden_metadata(golden, "depth");
  g_autofree char *text = g_strdup_printf(experiment_text, depth, depth, aligner, batch);
  g_autofree char *path = scratch_file(state, "golden.yaml", text, strlen(text));
  GError *error = NULL;
  struct experiment *experiment = experiment_read(path, NULL, &error);
  if (!experiment) fail_msg("%s", error->message);
  return experiment;
}

static struct joint *joint_new(void **state, const char *aligner) {
  struct joint *joint = g_new0(struct joint, 1);
  const guint batch = (guint)golden_tensor(golden, "a/", "labels")->shape[0];
  GError *error = NULL;
  joint->experiment = make_experiment(state, aligner, batch);
  joint->composition = composition_new(joint->experiment, registry, pool, &error);
  if (!joint->composition) fail_msg("%s", error->message);
  if (!composition_initialise(joint->composition, &error)) fail_msg("%s", error->message);
  joint->stepper = stepper_new(joint->composition, 2, &error);
  if (!joint->stepper) fail_msg("%s", error->message);
  joint->images = g_new(float, batch *GOLDEN_IMAGE);
  joint->labels = g_new(gint32, batch);
  for (guint t = 0; t < NETWORKS; t++) {
    const struct network *network = &joint->composition->networks[t];
    g_autofree char *prefix = g_strconcat(names[t], "/init/", NULL);
    golden_load(golden, prefix, network->extractor);
    golden_load(golden, prefix, network->head);
  }
  return joint;
}

static void joint_free(struct joint *joint) {
  stepper_free(joint->stepper);
  composition_free(joint->composition);
  experiment_free(joint->experiment);
  g_free(joint->images);
  g_free(joint->labels);
  g_free(joint);
}
AUTO_DEFINE(joint, joint_free)

/* The aligner's only head. */
static struct auxiliary *head_of(const struct joint *joint) {
  return g_ptr_array_index(joint->composition->aligners[0].auxiliaries, 0);
}

/* Runs the batch of a network of the file through network t, and forgets the gradient of the task's loss. */
static struct flight *run_task(struct joint *joint, guint t, const char *batch, guint attempt) {
  struct flight *flight = &joint->stepper->flights[t];
  const struct feed feed = {joint->images, joint->labels};
  GError *error = NULL;
  golden_batch(golden, batch, attempt, joint->images, joint->labels);
  if (!flight_task(flight, &feed, 0, 0, &error)) fail_msg("%s", error->message);
  memset(flight->gradient.data, 0, (gsize)dvt_tensor_count(&flight->gradient) * sizeof(float));
  return flight;
}

static void compare_gradients(const struct module *module, const float *gradients, const char *prefix) {
  for (guint k = 0; k < module->weight_count; k++)
    if (module->weights[k]->role == DVT_WEIGHT_PARAMETER)
      golden_compare(golden, prefix, module->weights[k]->name, gradients + module->offsets[k]);
}

static void compare_network(const struct flight *flight, const char *aligner) {
  g_autofree char *prefix = g_strdup_printf("%s/grad/%s/", aligner, names[flight->index]);
  compare_gradients(flight->network->extractor, flight->extractor->gradients, prefix);
}

static void compare_head(const struct joint *joint, const char *prefix) {
  stepper_sum(joint->stepper);
  compare_gradients(head_of(joint)->module, head_of(joint)->passes[0]->gradients, prefix);
}

static void compare_loss(const char *aligner, const char *network, double loss) {
  g_autofree char *key = g_strconcat(aligner, network, NULL);
  json_t *losses = json_loads(golden_metadata(golden, "losses"), 0, NULL);
  const double expected = json_real_value(json_object_get(losses, key));
  json_decref(losses);
  assert_true(expected > 0);
  golden_compare_loss(golden, key, loss, expected);
}

/* Word k of every stream is its index, so `word % 4` is what make_golden.py turns image k by. */
static void count_up(const struct dvt_host *host, const char *stream, uint64_t epoch, uint64_t index, uint32_t *out,
                     size_t count) {
  (void)host;
  (void)stream;
  (void)epoch;
  for (size_t k = 0; k < count; k++) out[k] = (uint32_t)(index + k);
}

static void rotation_step(void *data, guint attempt) {
  struct joint *joint = data;
  for (guint t = 0; t < NETWORKS; t++) {
    struct flight *flight = run_task(joint, t, t ? "b/" : "a/", attempt);
    assert_true(flight_view(flight, 0, NULL));
    compare_loss("rotation/", names[t], flight->losses.aligners[0]);
    compare_network(flight, "rotation");
  }
  compare_head(joint, "rotation/grad/head/");
}

static void rotation_agrees(void **state) {
  AUTO(joint) joint = joint_new(state, "{plugin: rotation}");
  ((struct dvt_host *)joint->composition->aligners[0].host.base)->random = count_up;
  golden_load(golden, "rotation_head/init/", head_of(joint)->module);
  golden_check(golden, rotation_step, joint);
}

/* The hook once more, now that the gradient of the task's loss is forgotten. */
static void repeat_feature_loss(const struct joint *joint, struct flight *flight) {
  const struct aligner *aligner = &joint->composition->aligners[0];
  struct dvt_error fault = DVT_ERROR_INIT;
  double loss;
  pass_clear(head_of(joint)->passes[flight->index]);
  aligner->in_hook[flight->index] = TRUE;
  assert_int_equal(
      aligner->ops->feature_loss(aligner->self, &flight->batch, &flight->features, &flight->gradient, &loss, &fault),
      DVT_OK);
  assert_true(loss == flight->losses.aligners[0]);
}

static void common_step(void *data, guint attempt) {
  struct joint *joint = data;
  for (guint t = 0; t < NETWORKS; t++) {
    struct flight *flight = run_task(joint, t, t ? "b/" : "a/", attempt);
    compare_loss("common/", names[t], flight->losses.aligners[0]);
    repeat_feature_loss(joint, flight);
    assert_true(flight_backward(flight, NULL));
    compare_network(flight, "common");
  }
  compare_head(joint, "common/grad/head/");
}

static void common_classes_agree(void **state) {
  AUTO(joint) joint = joint_new(state, "{plugin: common-classes, params: {classes: [0, 1, 2, 3, 4]}}");
  golden_load(golden, "common_head/init/", head_of(joint)->module);
  golden_check(golden, common_step, joint);
}

static void distillation_step(void *data, guint attempt) {
  struct joint *joint = data;
  for (guint t = 0; t < NETWORKS; t++) run_task(joint, t, "a/", attempt);
  assert_true(stepper_joint(joint->stepper, NULL));
  compare_loss("distillation", "", joint->stepper->joint_losses[0]);
  for (guint t = 0; t < NETWORKS; t++) {
    assert_true(flight_backward(&joint->stepper->flights[t], NULL));
    compare_network(&joint->stepper->flights[t], "distillation");
  }
}

static void distillation_agrees(void **state) {
  AUTO(joint) joint = joint_new(state, "{plugin: distillation}");
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
  const char *plugins = g_getenv("DOVETAIL_PLUGIN_PATH");
  if (!plugins) return fputs("DOVETAIL_PLUGIN_PATH is not set: where are the plugins?\n", stderr), 2;
  registry = registry_new();
  registry_scan(registry, plugins);
  pool = dataset_pool_new();
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  dataset_pool_free(pool);
  registry_free(registry);
  safetensors_free(golden);
  return failed;
}
