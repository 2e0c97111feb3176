/* SPDX-License-Identifier: MIT */
/** Stochastic gradient descent with momentum, in PyTorch's form: v = μ v + g + δ w; w = w − rate · v. */
#ifndef TRAIN_OPTIMISER_H
#define TRAIN_OPTIMISER_H

#include "plugin/module.h"

struct optimiser_config {
  double momentum, weight_decay;
  gboolean nesterov; /**< w = w − rate · (g + δ w + μ v), with the new v */
};

/** The optimiser of one module, with its momentum. */
struct optimiser {
  struct module *module;
  struct optimiser_config config;
  float *momentum; /**< module->parameter_size, in the arena's order */
};

/** The module has its arena and outlives it. The caller frees it. */
struct optimiser *optimiser_new(struct module *module, const struct optimiser_config *config, GError **error);
void optimiser_free(struct optimiser *optimiser);
AUTO_DEFINE(optimiser, optimiser_free)

/** One step by gradients in the arena's order, then module_changed. No pass of the module in flight. */
void optimiser_step(struct optimiser *optimiser, const float *gradients, double rate);

#endif
