/* SPDX-License-Identifier: MIT */
/** An extractor (backbone resnet) and a head, as plugins in the host's hands. What fails, fails the test. */
#ifndef TESTS_PLUGINS_PAIR_H
#define TESTS_PLUGINS_PAIR_H

#include "plugin/module.h"
#include "plugin/registry.h"
#include "plugin/services.h"

struct pair {
  struct services services;
  struct module *extractor, *head; /**< with values, all zero */
  struct pass *passes[2];          /**< extractor's, head's; NULL before pair_make_passes */
  guint capacity;
  float *features, *logits, *feature_gradient; /**< for `capacity` examples */
};

/** What to make; classes = 10, images of 3x32x32. */
struct pair_config {
  gint64 depth, width;
  const char *shortcut, *split, *head; /**< head: "resnet-tail" or "linear" */
  const char *initialisation;          /**< NULL: "he" */
};

/** Makes both. The caller frees the pair. */
struct pair *pair_new(const struct pair_config *config);
void pair_free(struct pair *pair);
AUTO_DEFINE(pair, pair_free)

/** A plugin of those in the folder DOVETAIL_PLUGIN_PATH, which meson sets. */
const struct dvt_plugin *pair_plugin(enum dvt_kind kind, const char *name);

/** Sets every parameter by its initialiser, from its name alone: to the same numbers wherever the network is cut. */
void pair_initialise(struct pair *pair);

/** In float32 on every processor. */
void pair_make_passes(struct pair *pair, guint32 flags, guint capacity, guint threads);

/** Runs images [n, 3, 32, 32] through both: pair->features, pair->logits. */
void pair_forward(struct pair *pair, guint n, float *images);

/** Replaces the logits by the gradient of the mean cross-entropy and runs it back through both. Returns the loss. */
double pair_backward(struct pair *pair, guint n, const gint32 *labels);

#endif
