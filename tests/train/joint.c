/* SPDX-License-Identifier: MIT */
#include "joint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "scratch.h"
#include "train_test.h"

const char *const joint_names[JOINT_NETWORKS] = {"a", "b"};
const double joint_momentum = 0.8, joint_decay = 0.01;

static const char experiment_text[] = "name: golden\n"
                                      "data: {plugin: shapes, params: {train: 64, test: 10}}\n"
                                      "networks:\n"
                                      "  a: &network\n"
                                      "    backbone: {plugin: resnet, params: {depth: %s}}\n"
                                      "    split: layer2\n"
                                      "    head: {plugin: resnet-tail, params: {depth: %s}}\n"
                                      "  b: *network\n"
                                      "aligners: [%s]\n"
                                      "train: {batch: %u, steps: 1, threads: 2, precision: float32, momentum: %g, "
                                      "weight_decay: %g}\n";

static struct experiment *make_experiment(void **state, const struct safetensors *golden, const char *aligners,
                                          guint batch) {
  const char *depth = golden_metadata(golden, "depth");
  g_autofree char *text = g_strdup_printf(experiment_text, depth, depth, aligners, batch, joint_momentum, joint_decay);
  g_autofree char *path = scratch_file(state, "golden.yaml", text, strlen(text));
  GError *error = NULL;
  struct experiment *experiment = experiment_read(path, NULL, &error);
  if (!experiment) fail_msg("%s", error->message);
  return experiment;
}

/* Word k of every stream is its index, so `word % 4` is what make_golden.py turns image k by. */
static void count_up(const struct dvt_host *host, const char *stream, uint64_t epoch, uint64_t index, uint32_t *out,
                     size_t count) {
  (void)host;
  (void)stream;
  (void)epoch;
  for (size_t k = 0; k < count; k++) out[k] = (uint32_t)(index + k);
}

static void prepare_network(struct joint *joint, guint t, guint batch) {
  const struct network *network = &joint->composition->networks[t];
  g_autofree char *prefix = g_strconcat(joint_names[t], "/init/", NULL);
  golden_load(joint->golden, prefix, network->extractor);
  golden_load(joint->golden, prefix, network->head);
  joint->images[t] = g_new(float, batch *GOLDEN_IMAGE);
  joint->labels[t] = g_new(gint32, batch);
}

static void prepare_aligner(struct joint *joint, guint k) {
  ((struct dvt_host *)joint->composition->aligners[k].host.base)->random = count_up;
  if (!joint_head(joint, k)) return;
  g_autofree char *tag = joint_tag(joint, k), *prefix = g_strconcat(tag, "_head/init/", NULL);
  golden_load(joint->golden, prefix, joint_head(joint, k)->module);
}

struct joint *joint_new(void **state, const struct safetensors *golden, const char *aligners) {
  struct joint *joint = g_new0(struct joint, 1);
  const guint batch = (guint)golden_tensor(golden, "a/", "labels")->shape[0];
  GError *error = NULL;
  joint->golden = golden;
  joint->experiment = make_experiment(state, golden, aligners, batch);
  joint->pool = dataset_pool_new();
  joint->composition = composition_new(joint->experiment, registry, joint->pool, &error);
  if (!joint->composition) fail_msg("%s", error->message);
  if (!composition_initialise(joint->composition, &error)) fail_msg("%s", error->message);
  joint->stepper = stepper_new(joint->composition, 2, &error);
  if (!joint->stepper) fail_msg("%s", error->message);
  for (guint t = 0; t < JOINT_NETWORKS; t++) prepare_network(joint, t, batch);
  for (guint k = 0; k < joint->composition->aligner_count; k++) prepare_aligner(joint, k);
  return joint;
}

void joint_free(struct joint *joint) {
  stepper_free(joint->stepper);
  composition_free(joint->composition);
  dataset_pool_free(joint->pool);
  experiment_free(joint->experiment);
  for (guint t = 0; t < JOINT_NETWORKS; t++) {
    g_free(joint->images[t]);
    g_free(joint->labels[t]);
  }
  g_free(joint);
}

/* The file says "common" for common-classes. */
char *joint_tag(const struct joint *joint, guint k) {
  const char *name = joint->composition->aligners[k].name;
  return g_strndup(name, strcspn(name, "-"));
}

struct auxiliary *joint_head(const struct joint *joint, guint k) {
  const GPtrArray *auxiliaries = joint->composition->aligners[k].auxiliaries;
  return auxiliaries->len ? g_ptr_array_index(auxiliaries, 0) : NULL;
}

struct flight *joint_task(struct joint *joint, guint t, const char *batch, guint attempt) {
  const struct feed feed = {joint->images[t], joint->labels[t]};
  GError *error = NULL;
  golden_batch(joint->golden, batch, attempt, joint->images[t], joint->labels[t]);
  if (!flight_task(&joint->stepper->flights[t], &feed, 0, 0, &error)) fail_msg("%s", error->message);
  return &joint->stepper->flights[t];
}

void joint_compare_loss(const struct joint *joint, guint k, guint t, double loss) {
  g_autofree char *tag = joint_tag(joint, k);
  g_autofree char *key = t < JOINT_NETWORKS ? g_strdup_printf("%s/%s", tag, joint_names[t]) : g_strdup(tag);
  json_t *losses = json_loads(golden_metadata(joint->golden, "losses"), 0, NULL);
  const double expected = json_real_value(json_object_get(losses, key));
  json_decref(losses);
  assert_true(expected > 0);
  golden_compare_loss(joint->golden, key, loss, expected);
}
