/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "plugin/random.h"

static rig_build current; /* what the next `init` builds */

static int create(const struct dvt_value *values, void **module, struct dvt_error *error) {
  (void)values;
  (void)error;
  *module = g_new0(struct nn_module, 1);
  return DVT_OK;
}

static void destroy(void *module) {
  if (module) nn_module_finish(module);
  g_free(module);
}

static int init(void *module, const struct dvt_host *host, const struct dvt_module_config *config,
                struct dvt_error *error) {
  struct nn_graph *graph = nn_graph_new(config->input);
  if (graph) nn_output(graph, current(graph, NN_INPUT));
  return nn_module_init(module, host, graph, error);
}

static const struct dvt_module_ops ops = {NN_MODULE_OPS, .create = create, .destroy = destroy, .init = init};
static const struct dvt_plugin plugin = {DVT_PLUGIN_HEAD, .kind = DVT_KIND_BACKBONE, .name = "rig", .ops = &ops};

static void check(gboolean done, GError *const *error) {
  if (!done) fail_msg("%s", *error ? (*error)->message : "failed without a message");
}

float *rig_noise(gsize count, guint64 seed, const char *name) {
  g_autofree guint32 *words = g_new(guint32, 2 * count);
  float *out = memory_floats(count, NULL);
  assert_non_null(out);
  random_words(random_stream(seed, name), 0, 0, words, 2 * count);
  for (gsize k = 0; k < count; k++)
    out[k] = sqrtf(-2.0f * logf(1.0f - random_unit(words[2 * k]))) *
             cosf(2.0f * (float)G_PI * random_unit(words[2 * k + 1]));
  return out;
}

/* Variances stay well above zero: 1 + 0.2 noise, with noise cut at 3. */
static void shake(struct module *module, guint64 seed) {
  for (guint k = 0; k < module->weight_count; k++) {
    if (module->weights[k]->initialiser != DVT_INIT_CONSTANT) continue;
    float *value = module_value(module, k);
    const gsize count = module_weight_elements(module, k);
    float *noise = rig_noise(count, seed, module->weights[k]->name);
    for (gsize i = 0; i < count; i++) value[i] += 0.2f * CLAMP(noise[i], -3.0f, 3.0f);
    free(noise);
  }
}

struct rig *rig_new(rig_build build, const gint64 input[3], guint64 seed) {
  struct rig *rig = g_new0(struct rig, 1);
  const struct dvt_module_config config = {.struct_size = sizeof config, .input = {input[0], input[1], input[2]}};
  GError *error = NULL;
  current = build;
  services_init(&rig->services, seed);
  rig->module = module_new(&plugin, NULL, &rig->services.table, &config, "rig", NULL, &error);
  check(rig->module != NULL, &error);
  check(module_allocate(rig->module, &error), &error);
  module_initialise(rig->module, seed, "rig");
  shake(rig->module, seed);
  module_changed(rig->module);
  return rig;
}

void rig_free(struct rig *rig) {
  if (!rig) return;
  module_free(rig->module);
  g_free(rig);
}

struct pass *rig_pass_in(struct rig *rig, guint32 precision, guint32 flags, guint32 capacity, guint32 threads,
                         gboolean gradients) {
  const struct dvt_pass_config config = {
      .struct_size = sizeof config, .flags = flags, .capacity = capacity, .threads = threads, .precision = precision};
  GError *error = NULL;
  struct pass *pass = pass_new(rig->module, &config, gradients, &error);
  check(pass != NULL, &error);
  return pass;
}

struct pass *rig_pass(struct rig *rig, guint32 flags, guint32 capacity, guint32 threads, gboolean gradients) {
  return rig_pass_in(rig, DVT_PRECISION_FLOAT32, flags, capacity, threads, gradients);
}

double rig_distance(const float *a, const float *b, gsize count) {
  double difference = 0.0, norm = 0.0;
  for (gsize k = 0; k < count; k++) {
    difference += pow((double)a[k] - b[k], 2);
    norm += pow(b[k], 2);
  }
  return sqrt(difference / norm);
}

static gsize product(const gint64 shape[3]) { return (gsize)(shape[0] * shape[1] * shape[2]); }
gsize rig_input_size(const struct rig *rig) { return product(rig->module->input); }
gsize rig_output_size(const struct rig *rig) { return product(rig->module->output); }

static struct dvt_tensor tensor(float *data, guint n, const gint64 shape[3]) {
  return (struct dvt_tensor){
      .data = data, .dtype = DVT_F32, .place = DVT_PLACE_HOST, .rank = 4, .shape = {n, shape[0], shape[1], shape[2]}};
}

void rig_forward(struct rig *rig, struct pass *pass, guint n, float *input, float *output) {
  const struct dvt_tensor from = tensor(input, n, rig->module->input);
  struct dvt_tensor to = tensor(output, n, rig->module->output);
  GError *error = NULL;
  check(pass_forward(pass, &from, &to, &error), &error);
}

void rig_backward(struct rig *rig, struct pass *pass, guint n, float *output_gradient, float *input_gradient) {
  const struct dvt_tensor from = tensor(output_gradient, n, rig->module->output);
  struct dvt_tensor to = tensor(input_gradient, n, rig->module->input);
  GError *error = NULL;
  check(pass_backward(pass, &from, input_gradient ? &to : NULL, &error), &error);
}
