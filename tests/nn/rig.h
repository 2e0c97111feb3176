/* SPDX-License-Identifier: MIT */
/** A module of a few layers in the host's hands, without a plugin file. What fails, fails the test. */
#ifndef TESTS_NN_RIG_H
#define TESTS_NN_RIG_H

#include "nn.h"
#include "plugin/module.h"
#include "plugin/services.h"

struct rig {
  struct services services;
  struct module *module;
};

/** Adds layers to a graph, from `value` on; returns the last value. */
typedef int (*rig_build)(struct nn_graph *graph, int value);

/** A module on images of C x H x W, its weights set by their initialisers and shaken, so that none is 0 or 1. */
struct rig *rig_new(rig_build build, const gint64 input[3], guint64 seed);
void rig_free(struct rig *rig);
AUTO_DEFINE(rig, rig_free)

/** A pass in a precision of enum dvt_precision. */
struct pass *rig_pass_in(struct rig *rig, guint32 precision, guint32 flags, guint32 capacity, guint32 threads,
                         gboolean gradients);

/** One in float32. */
struct pass *rig_pass(struct rig *rig, guint32 flags, guint32 capacity, guint32 threads, gboolean gradients);

/** count normal deviates, keyed by seed and name; aligned as the ABI wants it. Freed with free(). */
float *rig_noise(gsize count, guint64 seed, const char *name);

/** Distance of a from b, relative to the length of b. */
double rig_distance(const float *a, const float *b, gsize count);

/** Floats in one example of the module's input and output. */
gsize rig_input_size(const struct rig *rig);
gsize rig_output_size(const struct rig *rig);

void rig_forward(struct rig *rig, struct pass *pass, guint n, float *input, float *output);

/** input_gradient may be NULL. */
void rig_backward(struct rig *rig, struct pass *pass, guint n, float *output_gradient, float *input_gradient);

#endif
