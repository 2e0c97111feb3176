/* SPDX-License-Identifier: MIT */
#include "train/optimiser.h"

#include <stdlib.h>

#include "base/memory.h"

struct optimiser *optimiser_new(struct module *module, const struct optimiser_config *config, GError **error) {
  AUTO(optimiser) optimiser = g_new0(struct optimiser, 1);
  optimiser->module = module;
  optimiser->config = *config;
  optimiser->momentum = memory_floats(module->parameter_size, error);
  return optimiser->momentum ? g_steal_pointer(&optimiser) : NULL;
}

void optimiser_free(struct optimiser *optimiser) {
  if (!optimiser) return;
  free(optimiser->momentum);
  g_free(optimiser);
}

static void update(float *restrict w, float *restrict v, const float *restrict g, gsize count, float momentum,
                   float decay, float rate, gboolean nesterov) {
  for (gsize k = 0; k < count; k++) {
    const float gradient = g[k] + decay * w[k];
    v[k] = momentum * v[k] + gradient;
    w[k] -= rate * (nesterov ? gradient + momentum * v[k] : v[k]);
  }
}

void optimiser_step(struct optimiser *optimiser, const float *gradients, double rate) {
  const struct module *module = optimiser->module;
  const struct optimiser_config *config = &optimiser->config;
  const gsize decaying = module->decay_size, other = module->parameter_size - decaying;
  update(module->values, optimiser->momentum, gradients, decaying, (float)config->momentum, (float)config->weight_decay,
         (float)rate, config->nesterov);
  update(module->values + decaying, optimiser->momentum + decaying, gradients + decaying, other,
         (float)config->momentum, 0, (float)rate, config->nesterov);
  module_changed(optimiser->module);
}
