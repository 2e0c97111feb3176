/* SPDX-License-Identifier: MIT */
/**
 * A backbone or head of a plugin, with the memory that the host owns for it: values of all weights in one arena, the
 * parameters that decay first, then the other parameters, then the buffers, each aligned to 64 bytes. Before the first
 * and behind each is a gap of at least 64 bytes that holds zeros, in arenas of gradients too.
 */
#ifndef PLUGIN_MODULE_H
#define PLUGIN_MODULE_H

#include <dovetail/module.h>
#include <dovetail/plugin.h>

#include "base/auto.h"
#include "base/error.h"
#include "config/use.h"

struct module {
  const struct dvt_plugin *plugin;
  const struct dvt_module_ops *ops;
  void *self;
  char *label; /**< for messages: "network a: backbone resnet" */
  guint weight_count;
  const struct dvt_weight **weights; /**< in the plugin's order; they belong to the plugin */
  gsize *offsets;                    /**< of each weight in the arena, in floats */
  gsize decay_size;                  /**< floats, from 0: parameters that decay */
  gsize parameter_size;              /**< floats, from 0: parameters */
  gsize size;                        /**< floats: everything */
  gint64 input[3], output[3];        /**< C, H, W */
  float *values;                     /**< the arena; NULL before module_allocate */
};

/**
 * Makes a module: create and init of the plugin. values has one for each row of the plugin's parameter table; host
 * must live as long as the module. A refusal by the plugin is DOVETAIL_WRONG at the place of what it blames in use;
 * NULL: nowhere. The caller frees it.
 */
struct module *module_new(const struct dvt_plugin *plugin, const struct dvt_value *values, const struct dvt_host *host,
                          const struct dvt_module_config *config, const char *label, const struct plugin_use *use,
                          GError **error);
void module_free(struct module *module);
AUTO_DEFINE(module, module_free)

/** Split k of a backbone; NULL past the last, or past one without a name. */
const struct dvt_split *module_split(const struct module *module, guint k);

/** Number of elements of weight k. */
gsize module_weight_elements(const struct module *module, guint k);

/** Values of weight k; after module_allocate. */
float *module_value(const struct module *module, guint k);

/** Floats before the first weight in an arena, and behind weight k. */
enum { MODULE_FIRST_GAP = 64 / sizeof(float) };
gsize module_gap(const struct module *module, guint k);

/** Index of the weight of a name, or -1. */
gint module_find(const struct module *module, const char *name);

/** Makes the arena, all zero, and binds it. Once. */
gboolean module_allocate(struct module *module, GError **error);

/** Sets every weight by its initialiser; the numbers are keyed by seed, `stream` and the weight's name. */
void module_initialise(struct module *module, guint64 seed, const char *stream);

/** Tells the plugin that values changed. No pass in flight. */
void module_changed(struct module *module);

/** One flight's working memory, with the gradients of the module's parameters where they are wanted. */
struct pass {
  struct module *module;
  void *self;
  float *gradients; /**< module->parameter_size floats in the arena's order, or NULL */
  /**
   * Set by the caller, off at first: what a call leaves must be finite, and nothing beside it overwritten. The tensors
   * that calls write to are memory of guard_floats then. Their shapes are always checked.
   */
  gboolean checked;
  gint64 spent; /**< microseconds in forward and backward so far, checks included */
};

/**
 * config->gradients is ignored: `gradients` says whether those of the weights are wanted. Any thread. The caller frees
 * it before the module.
 */
struct pass *pass_new(struct module *module, const struct dvt_pass_config *config, gboolean gradients, GError **error);
void pass_free(struct pass *pass);
AUTO_DEFINE(pass, pass_free)

/** See struct dvt_module_ops. Errors name module and call. */
gboolean pass_forward(struct pass *pass, const struct dvt_tensor *input, struct dvt_tensor *output, GError **error);
gboolean pass_backward(struct pass *pass, const struct dvt_tensor *output_gradient, struct dvt_tensor *input_gradient,
                       GError **error);
void pass_commit(struct pass *pass);

/** What the pass spent its time on so far, as the module tells; all 0 where it does not. */
void pass_times(const struct pass *pass, struct dvt_pass_times *times);

/** Sets the gradients to zero. */
void pass_clear(struct pass *pass);

#endif
