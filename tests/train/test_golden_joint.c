/* SPDX-License-Identifier: MIT */
/*
 * A joint step against another implementation: argv[1] names a file that its make_golden.py wrote. Everything is the real
 * thing (experiment, plugins, step) but the random numbers: image k is turned by k % 4 quarters, as there.
 */
#include <math.h>
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
#include "store/safetensors.h"
#include "train/step.h"

enum { IMAGE = 3 * 32 * 32, NETWORKS = 2 };

static struct safetensors *golden;
static struct registry *registry;

static const char experiment_text[] =
    "name: golden\n"
    "data: {plugin: shapes, params: {train: 64, test: 10}}\n"
    "networks:\n"
    "  a: &network\n"
    "    backbone: {plugin: resnet, params: {depth: %s}}\n"
    "    split: layer2\n"
    "    head: {plugin: resnet-tail, params: {depth: %s}}\n"
    "  b: *network\n"
    "aligners: [{plugin: rotation}]\n"
    "train: {batch: %d, steps: 1, threads: 1}\n";

static struct experiment *make_experiment(void **state, guint batch) {
  const char *depth = g_hash_table_lookup(golden->metadata, "depth");
  g_autofree char *text = g_strdup_printf(experiment_text, depth, depth, batch);
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

static const struct safetensor *find(const char *format, const char *a, const char *b) {
  g_autofree char *name = g_strdup_printf(format, a, b);
  const struct safetensor *tensor = safetensors_find(golden, name);
  if (!tensor) fail_msg("%s has no tensor %s", golden->path, name);
  return tensor;
}

static void load(struct module *module, const char *prefix) {
  for (guint k = 0; k < module->weight_count; k++) {
    const struct safetensor *tensor = find("%s/init/%s", prefix, module->weights[k]->name);
    assert_int_equal(tensor->size, module_weight_elements(module, k) * sizeof(float));
    memcpy(module_value(module, k), tensor->data, tensor->size);
  }
  module_changed(module);
}

static void read_feed(const char *network, guint batch, struct feed *feed) {
  static const float mean[] = {0.4914f, 0.4822f, 0.4465f}, deviation[] = {0.2470f, 0.2435f, 0.2616f};
  const guint8 *images = find("%s/images%s", network, "")->data;
  const struct safetensor *labels = find("%s/labels%s", network, "");
  for (guint at = 0; at < batch * IMAGE; at++) {
    const guint c = at / (32 * 32) % 3;
    feed->images[at] = (images[at] / 255.0f - mean[c]) / deviation[c];
  }
  for (guint k = 0; k < batch; k++) {
    gint64 label;
    memcpy(&label, (const char *)labels->data + k * sizeof label, sizeof label);
    feed->labels[k] = (gint32)label;
  }
}

static double tolerance(void) {
  const char *text = g_hash_table_lookup(golden->metadata, "float32_error");
  return MAX(1e-4, 5 * g_ascii_strtod(text, NULL));
}

/* Relative error of every parameter's gradient. */
static void compare_gradients(const struct module *module, const float *gradients, const char *component) {
  for (guint k = 0; k < module->weight_count; k++) {
    if (module->weights[k]->role != DVT_WEIGHT_PARAMETER) continue;
    const struct safetensor *tensor = find("rotation/grad/%s/%s", component, module->weights[k]->name);
    double difference = 0, norm = 0;
    for (gsize at = 0; at < module_weight_elements(module, k); at++) {
      float expected;
      memcpy(&expected, (const char *)tensor->data + at * sizeof expected, sizeof expected);
      difference += pow(gradients[module->offsets[k] + at] - expected, 2);
      norm += pow(expected, 2);
    }
    if (!(sqrt(difference / norm) <= tolerance()))
      fail_msg("%s: relative error %g, allowed %g", tensor->name, sqrt(difference / norm), tolerance());
  }
}

static void compare_loss(const char *network, double loss) {
  json_t *losses = json_loads(g_hash_table_lookup(golden->metadata, "losses"), 0, NULL);
  g_autofree char *key = g_strdup_printf("rotation/%s", network);
  const double expected = json_real_value(json_object_get(losses, key));
  json_decref(losses);
  assert_true(expected > 0);
  if (!(fabs(loss - expected) <= tolerance() * expected)) fail_msg("%s: %.8f, expected %.8f", key, loss, expected);
}

static void rotation_step_agrees(void **state) {
  static const char *const names[NETWORKS] = {"a", "b"};
  const guint batch = (guint)find("%s/images%s", "a", "")->shape[0];
  GError *error = NULL;
  AUTO(experiment) experiment = make_experiment(state, batch);
  AUTO(composition) composition = composition_new(experiment, registry, &error);
  if (!composition) fail_msg("%s", error->message);
  ((struct dvt_host *)composition->aligners[0].host.base)->random = count_up;
  assert_true(composition_initialise(composition, NULL));
  struct auxiliary *auxiliary = g_ptr_array_index(composition->aligners[0].auxiliaries, 0);
  load(auxiliary->module, "rotation_head");
  AUTO(stepper) stepper = stepper_new(composition, 1, &error);
  if (!stepper) fail_msg("%s", error->message);
  g_autofree float *images = g_new(float, batch * IMAGE);
  g_autofree gint32 *labels = g_new(gint32, batch);
  struct feed feed = {images, labels};
  for (guint t = 0; t < NETWORKS; t++) {
    struct flight *flight = &stepper->flights[t];
    load(flight->network->extractor, names[t]);
    load(flight->network->head, names[t]);
    read_feed(names[t], batch, &feed);
    assert_true(flight_task(flight, &feed, 0, 0, NULL));
    assert_true(flight_view(flight, 0, NULL)); /* the task's own gradient is not run back: this is the view's alone */
    compare_loss(names[t], flight->losses.aligners[0]);
    compare_gradients(flight->network->extractor, flight->extractor->gradients, names[t]);
  }
  stepper_sum(stepper);
  compare_gradients(auxiliary->module, auxiliary->passes[0]->gradients, "head");
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {SCRATCH_TEST(rotation_step_agrees)};
  g_autofree char *path = golden_find(argc > 1 ? argv[1] : "");
  if (!path) return skip_all("no such file of another implementation's values (docs/testing.md)");
  const char *plugins = g_getenv("DOVETAIL_PLUGIN_PATH");
  if (!plugins) return fputs("DOVETAIL_PLUGIN_PATH is not set: where are the plugins?\n", stderr), 2;
  golden = safetensors_read(path, NULL);
  registry = registry_new();
  registry_scan(registry, plugins);
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  registry_free(registry);
  if (golden) safetensors_free(golden);
  return failed;
}
