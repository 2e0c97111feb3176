/* SPDX-License-Identifier: MIT */
/* Steps of the second stage, where network a and every auxiliary head are frozen. argv[1]: the plugin of hooks.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/random.h"
#include "plugin/tensors.h"
#include "scratch.h"
#include "train/step.h"

enum { BATCH = 8, SIZE = BATCH * 3 * 32 * 32, THREADS = 4 };

static struct registry *registry;
static struct dataset_pool *pool;

static const char text[] = "name: frozen\n"
                           "scheme: incremental\n"
                           "data: {plugin: shapes, params: {train: 64, test: 10}}\n"
                           "networks:\n"
                           "  a: &network\n"
                           "    backbone: {plugin: resnet, params: {depth: 8, width: 4}}\n"
                           "    split: layer2\n"
                           "    head: {plugin: resnet-tail, params: {depth: 8, width: 4}}\n"
                           "  b: *network\n"
                           "aligners: [%s]\n"
                           "train: {batch: 8, steps: 3}\n";

/* An initialised second stage, ready to step. */
struct stage {
  struct experiment *experiment;
  struct composition *composition;
  struct stepper *stepper;
};

static void stage_free(struct stage *stage) {
  stepper_free(stage->stepper);
  composition_free(stage->composition);
  experiment_free(stage->experiment);
  g_free(stage);
}
AUTO_DEFINE(stage, stage_free)

static struct stage *make_stage(void **state, const char *aligners) {
  g_autofree char *yaml = g_strdup_printf(text, aligners);
  g_autofree char *path = scratch_file(state, "frozen.yaml", yaml, strlen(yaml));
  struct stage *stage = g_new0(struct stage, 1);
  GError *error = NULL;
  stage->experiment = experiment_read(path, NULL, &error);
  if (stage->experiment) stage->composition = composition_new(stage->experiment, registry, pool, &error);
  if (!stage->composition || !composition_initialise(stage->composition, &error)) fail_msg("%s", error->message);
  stage->stepper = stepper_new(stage->composition, THREADS, &error);
  if (!stage->stepper) fail_msg("%s", error->message);
  return stage;
}

static void make_feed(guint64 step, float *images, gint32 *labels) {
  g_autofree guint32 *words = g_new(guint32, SIZE);
  random_words(random_stream(1, "images"), 0, step * SIZE, words, SIZE);
  for (guint k = 0; k < SIZE; k++) images[k] = 4 * random_unit(words[k]) - 2;
  for (guint k = 0; k < BATCH; k++) labels[k] = (gint32)(words[k] % 10);
}

static void step(struct stepper *stepper, guint64 number, const struct feed *feed) {
  GError *error = NULL;
  for (guint t = 0; t < 2; t++)
    if (!flight_task(&stepper->flights[t], feed, 0, number, &error)) fail_msg("%s", error->message);
  if (!stepper_joint(stepper, &error)) fail_msg("%s", error->message);
  for (guint t = 0; t < 2; t++)
    if (!flight_backward(&stepper->flights[t], &error)) fail_msg("%s", error->message);
  stepper_tie(stepper, 0.1);
  for (guint t = 0; t < 2; t++) flight_update(&stepper->flights[t], 0.1);
}

static float *copy_values(const struct module *module) {
  return g_memdup2(module->values, module->size * sizeof(float));
}

static void assert_values(const struct module *module, const float *before, gboolean same) {
  assert_int_equal(!memcmp(module->values, before, module->size * sizeof(float)), same);
}

static struct module *auxiliary(const struct stage *stage, guint k) {
  return ((struct auxiliary *)g_ptr_array_index(stage->composition->aligners[k].auxiliaries, 0))->module;
}

static void steps_change_no_bit_of_what_is_frozen(void **state) {
  AUTO(stage) stage = make_stage(state, "{plugin: hooks}, {plugin: rotation}");
  const struct network *a = &stage->composition->networks[0], *b = &stage->composition->networks[1];
  struct module *const frozen[] = {a->extractor, a->head, auxiliary(stage, 0), auxiliary(stage, 1)};
  float *before[G_N_ELEMENTS(frozen)];
  g_autofree float *other = copy_values(b->extractor), *images = g_new(float, SIZE);
  gint32 labels[BATCH];
  for (guint k = 0; k < G_N_ELEMENTS(frozen); k++) before[k] = copy_values(frozen[k]);
  for (guint number = 0; number < 3; number++) {
    make_feed(number, images, labels);
    step(stage->stepper, number, &(struct feed){images, labels});
  }
  for (guint k = 0; k < G_N_ELEMENTS(frozen); k++) {
    assert_values(frozen[k], before[k], TRUE);
    g_free(before[k]);
  }
  assert_values(b->extractor, other, FALSE);
  assert_true(stage->stepper->joint_losses[0] > 0);
  assert_true(stage->stepper->flights[1].losses.aligners[1] > 0);
}

static void frozen_features_are_those_of_evaluation(void **state) {
  AUTO(stage) stage = make_stage(state, "{plugin: hooks}");
  struct flight *flight = &stage->stepper->flights[0];
  const struct dvt_pass_config config = {.struct_size = sizeof config, .capacity = BATCH, .threads = 2};
  AUTO(pass) pass = pass_new(flight->network->extractor, &config, FALSE, NULL);
  const gsize size = (gsize)dvt_tensor_count(&flight->features);
  g_autofree float *images = g_new(float, SIZE), *expected = g_new(float, size);
  struct dvt_tensor output = flight->features;
  gint32 labels[BATCH];
  make_feed(0, images, labels);
  step(stage->stepper, 0, &(struct feed){images, labels});
  output.data = expected;
  assert_true(pass_forward(pass, &flight->images, &output, NULL));
  assert_memory_equal(flight->features.data, expected, size * sizeof(float));
}

static void a_network_that_nobody_heeds_takes_no_thread(void **state) {
  AUTO(stage) stage = make_stage(state, "{plugin: rotation}");
  assert_false(network_flies(stage->composition, 0));
  assert_true(network_flies(stage->composition, 1));
  assert_null(stage->stepper->flights[0].extractor);
  assert_int_equal(stage->stepper->threads, THREADS);
  assert_false(stage->stepper->tied);
}

static void a_joint_loss_heeds_every_network(void **state) {
  AUTO(stage) stage = make_stage(state, "{plugin: hooks}");
  assert_true(network_flies(stage->composition, 0));
  assert_null(stage->stepper->flights[0].head);
  assert_int_equal(stage->stepper->threads, THREADS / 2);
}

static void the_first_stage_has_the_first_network_alone(void **state) {
  AUTO(stage) stage = make_stage(state, "{plugin: rotation}");
  const struct composition *first = g_ptr_array_index(stage->composition->earlier, 0);
  assert_int_equal(stage->composition->earlier->len, 1);
  assert_int_equal(first->network_count, 1);
  assert_false(first->networks[0].view.frozen || first->aligners[0].frozen);
  assert_true(stage->composition->networks[0].view.frozen && stage->composition->aligners[0].frozen);
  assert_false(stage->composition->networks[1].view.frozen);
  assert_int_equal(composition_trained(stage->composition), 1);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(steps_change_no_bit_of_what_is_frozen),       SCRATCH_TEST(frozen_features_are_those_of_evaluation),
      SCRATCH_TEST(a_network_that_nobody_heeds_takes_no_thread), SCRATCH_TEST(a_joint_loss_heeds_every_network),
      SCRATCH_TEST(the_first_stage_has_the_first_network_alone),
  };
  const char *plugins = g_getenv("DOVETAIL_PLUGIN_PATH");
  if (!plugins || argc < 2) return fputs("where are the plugins, and that of hooks.c?\n", stderr), 2;
  g_autofree char *hooks = g_path_get_dirname(argv[1]);
  registry = registry_new();
  registry_scan(registry, hooks);
  registry_scan(registry, plugins);
  pool = dataset_pool_new();
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  dataset_pool_free(pool);
  registry_free(registry);
  return failed;
}
