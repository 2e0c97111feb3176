/* SPDX-License-Identifier: MIT */
/** A module under test, with guard zones between its weights, and flights with guard zones round every buffer. */
#ifndef CONFORM_RIG_H
#define CONFORM_RIG_H

#include "conform/block.h"
#include "conform/kinds.h"
#include "plugin/module.h"

enum { RIG_CLASSES = 5, RIG_CAPACITY = 5 };

struct rig {
  struct probe *probe;
  struct module *module; /**< its values are laid out with guards between them */
  const char *split;     /**< as it was made with */
};

/** What a module is made for. */
struct site {
  const char *split;
  gint64 input[3];
  guint classes;
};

/** create and init alone, for one site; as kind.open. The caller frees it. */
struct rig *rig_new_at(struct probe *probe, const struct values *values, const struct site *site, char **refusal);

/** For the first site that the plugin takes: the user's, or one of a list. */
struct rig *rig_new(struct probe *probe, const struct values *values, char **refusal);

/** rig_new and rig_bind with the user's settings; NULL with a verdict. */
struct rig *rig_open(struct probe *probe);
void rig_free(struct rig *rig);
AUTO_DEFINE(rig, rig_free)

/** Allocates the values, sets them by their initialisers, moves each a little, and binds them. Once. FALSE: a verdict.
 */
gboolean rig_bind_quietly(struct rig *rig);

/** The same, and says that they changed. */
gboolean rig_bind(struct rig *rig);

/** Floats of the values' arena, or of one of gradients: guards and all. */
gsize rig_size(const struct rig *rig);

/** The name of the weight that a call wrote beyond, in an arena; NULL: none. */
const char *rig_overrun(const struct rig *rig, const float *arena);

/** What a trial is for. Zeros stand for: RIG_CAPACITY, all of it, one thread, float32. */
struct trial_config {
  guint flags; /**< enum dvt_pass_flags */
  guint capacity, threads;
  guint precision;
  gboolean frozen; /**< no gradients of weights are wanted */
};

struct trial {
  struct rig *rig;
  struct trial_config config;
  void *self;
  struct block input, output, output_gradient, input_gradient; /**< for a full batch */
  struct block gradients;                                      /**< an arena; without memory: frozen */
};

/** Makes a pass and its buffers, the inputs filled with numbers of the stream `name`. NULL with a verdict. */
struct trial *trial_new(struct rig *rig, const struct trial_config *config, const char *name);
void trial_free(struct trial *trial);
AUTO_DEFINE(trial, trial_free)

/** Each calls the plugin for the first n examples; FALSE with a verdict when it fails. */
gboolean trial_forward(struct trial *trial, guint n);
gboolean trial_backward(struct trial *trial, guint n, gboolean input_gradient);
void trial_commit(struct trial *trial);

/** Sets the gradients of the weights to a number, the guards between them untouched. */
void trial_set_gradients(struct trial *trial, float value);

/** Records what the last calls for n examples wrote. */
void trial_record(const struct trial *trial, guint n, struct record *record);

/** Forward, and backward where the flags have it, with gradients from 0; recorded. FALSE with a verdict. */
gboolean trial_run(struct trial *trial, guint n, struct record *record);

/** A new trial with numbers of `name`, flown once with n examples. FALSE with a verdict. */
gboolean rig_try(struct rig *rig, const struct trial_config *config, const char *name, guint n, struct record *record);

/** Floats of one example. */
gsize rig_input_size(const struct rig *rig);
gsize rig_output_size(const struct rig *rig);

/** The two ways to fly, with backward: with the batch's statistics, and with the running ones. */
enum { RIG_MODES = 2 };
extern const struct trial_config rig_modes[RIG_MODES];
extern const char *const rig_mode_names[RIG_MODES];

#endif
