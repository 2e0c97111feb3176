/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "train/loss.h"

enum { CLASSES = 10 };

static void check(gboolean done, GError *const *error) {
  if (!done) fail_msg("%s", *error ? (*error)->message : "failed without a message");
}

const struct dvt_plugin *pair_plugin(enum dvt_kind kind, const char *name) {
  static struct registry *registry; /* plugins stay loaded: so does this */
  GError *error = NULL;
  if (!registry) {
    registry = registry_new();
    registry_scan(registry, g_getenv("DOVETAIL_PLUGIN_PATH"));
  }
  const struct registry_plugin *plugin = registry_find(registry, kind, name, (struct mark){0}, &error);
  check(plugin != NULL, &error);
  return plugin->descriptor;
}

static struct module *make(struct pair *pair, const struct pair_config *config, enum dvt_kind kind, const char *name,
                           const gint64 input[3]) {
  const struct dvt_value values[] = {
      {.type = DVT_TYPE_INT, .integer = config->depth},
      {.type = DVT_TYPE_INT, .integer = config->width},
      {.type = DVT_TYPE_STRING, .string = config->shortcut},
      {.type = DVT_TYPE_STRING, .string = config->initialisation ? config->initialisation : "he"},
      {.type = DVT_TYPE_STRING, .string = ""}};
  const struct dvt_module_config own = {.struct_size = sizeof own,
                                        .classes = kind == DVT_KIND_HEAD ? CLASSES : 0,
                                        .input = {input[0], input[1], input[2]},
                                        .split = config->split};
  GError *error = NULL;
  struct module *module = module_new(pair_plugin(kind, name), values, &pair->services.table, &own, name, NULL, &error);
  check(module != NULL, &error);
  check(module_allocate(module, &error), &error);
  return module;
}

struct pair *pair_new(const struct pair_config *config) {
  const gint64 image[] = {3, 32, 32};
  struct pair *pair = g_new0(struct pair, 1);
  services_init(&pair->services, 1);
  pair->extractor = make(pair, config, DVT_KIND_BACKBONE, "resnet", image);
  pair->head = make(pair, config, DVT_KIND_HEAD, config->head, pair->extractor->output);
  return pair;
}

static void free_passes(struct pair *pair) {
  for (guint k = 0; k < 2; k++) pass_free(pair->passes[k]);
  free(pair->features);
  free(pair->logits);
  free(pair->feature_gradient);
}

void pair_free(struct pair *pair) {
  if (!pair) return;
  free_passes(pair);
  module_free(pair->extractor);
  module_free(pair->head);
  g_free(pair);
}

void pair_initialise(struct pair *pair) {
  module_initialise(pair->extractor, 1, "network");
  module_initialise(pair->head, 1, "network");
  module_changed(pair->extractor);
  module_changed(pair->head);
}

static gsize feature_size(const struct pair *pair) {
  const gint64 *shape = pair->extractor->output;
  return (gsize)(shape[0] * shape[1] * shape[2]);
}

void pair_make_passes(struct pair *pair, guint32 flags, guint capacity, guint threads) {
  const struct dvt_pass_config config = {.struct_size = sizeof config,
                                         .flags = flags,
                                         .capacity = capacity,
                                         .threads = threads,
                                         .precision = DVT_PRECISION_FLOAT32};
  struct module *const modules[] = {pair->extractor, pair->head};
  GError *error = NULL;
  free_passes(pair);
  for (guint k = 0; k < 2; k++) {
    pair->passes[k] = pass_new(modules[k], &config, TRUE, &error);
    check(pair->passes[k] != NULL, &error);
  }
  pair->capacity = capacity;
  pair->features = memory_floats(capacity * feature_size(pair), NULL);
  pair->feature_gradient = memory_floats(capacity * feature_size(pair), NULL);
  pair->logits = memory_floats(capacity * CLASSES, NULL);
  assert_true(pair->features && pair->feature_gradient && pair->logits);
}

static struct dvt_tensor tensor(float *data, guint n, const gint64 shape[3], guint32 rank) {
  return (struct dvt_tensor){.data = data,
                             .dtype = DVT_F32,
                             .place = DVT_PLACE_HOST,
                             .rank = rank,
                             .shape = {n, shape[0], shape[1], shape[2]}};
}

void pair_forward(struct pair *pair, guint n, float *images) {
  const struct dvt_tensor input = tensor(images, n, pair->extractor->input, 4);
  struct dvt_tensor features = tensor(pair->features, n, pair->extractor->output, 4);
  struct dvt_tensor logits = tensor(pair->logits, n, pair->head->output, 2);
  GError *error = NULL;
  check(pass_forward(pair->passes[0], &input, &features, &error), &error);
  check(pass_forward(pair->passes[1], &features, &logits, &error), &error);
}

double pair_backward(struct pair *pair, guint n, const gint32 *labels) {
  const struct dvt_tensor logits = tensor(pair->logits, n, pair->head->output, 2);
  struct dvt_tensor features = tensor(pair->feature_gradient, n, pair->extractor->output, 4);
  GError *error = NULL;
  const double loss = loss_cross_entropy(pair->logits, n, CLASSES, labels, 1.0, NULL);
  check(pass_backward(pair->passes[1], &logits, &features, &error), &error);
  check(pass_backward(pair->passes[0], &features, NULL, &error), &error);
  return loss;
}
