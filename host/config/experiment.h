/* SPDX-License-Identifier: MIT */
/**
 * An experiment: everything of its YAML form that can be checked without plugins. docs/experiments.md lists the keys.
 */
#ifndef CONFIG_EXPERIMENT_H
#define CONFIG_EXPERIMENT_H

#include <dovetail/dataset.h>
#include <dovetail/module.h>

#include "config/use.h"

struct data_spec {
  struct plugin_use use;
  guint64 limit[DVT_SUBSET_COUNT]; /**< the first so many examples of each subset; G_MAXUINT64: all */
};

/** An earlier run whose components are taken, frozen; path NULL: none. */
struct from_spec {
  char *path; /**< of the run directory, absolute */
  struct mark mark;
};

struct network_spec {
  const char *name;
  struct mark mark;
  struct from_spec from; /**< of its extractor and head */
  struct data_spec data; /**< its own, or the experiment's */
  struct plugin_use backbone, head;
  const char *split;
  struct mark split_mark;
  const struct yaml_node *classes; /**< list of class names or indices that make its task; NULL: all */
};

struct aligner_spec {
  struct plugin_use use;
  struct from_spec from; /**< of its auxiliary heads */
  double weight;         /**< λ, at least 0; default 1 */
};

enum schedule_kind { SCHEDULE_STEP, SCHEDULE_COSINE, SCHEDULE_ONE_CYCLE };

struct schedule_spec {
  enum schedule_kind kind; /**< default step */
  double rate;             /**< the base rate (`rate`), of one-cycle the peak (`peak`); default 0.1 */
  double warmup;   /**< share of the steps that rises linearly from 0, of one-cycle to the peak; <1; default 0, 0.2 */
  double drops[8]; /**< step: at these shares of the steps, rising (`drops`, default 0.5 and 0.75) … */
  guint drop_count;
  double factor; /**< … the rate is multiplied by this; default 0.1 */
};

struct train_spec {
  guint64 epochs, steps;         /**< exactly one is not 0; default: 64000 steps */
  guint batch;                   /**< default 128 */
  enum dvt_precision precision;  /**< auto: the default */
  guint threads;                 /**< of all networks together; 0 (the default): one for each core */
  double momentum, weight_decay; /**< defaults 0.9 and 1e-4 */
  guint64 check;     /**< what plugins return is checked in the first steps and every so many; 0: never; default 100 */
  gboolean nesterov; /**< default off; on only with momentum */
  guint pad;         /**< augmentation: pixels of padding before a random crop of the original size; default 4 */
  gboolean flip;     /**< augmentation: horizontal flip with probability 1/2; default on */
  struct schedule_spec schedule;
};

enum scheme { SCHEME_JOINT, SCHEME_INCREMENTAL };

/** Belongs, with everything in it, to the caller of experiment_read; strings and nodes live in `tree`. */
struct experiment {
  char *path;
  const char *text; /**< as given, without assignments; belongs to the tree */
  struct yaml_tree *tree;
  const char *name;
  guint64 seed;
  enum scheme scheme; /**< networks train all at once (the default), or one after another */
  struct network_spec *networks;
  guint network_count;
  struct aligner_spec *aligners;
  guint aligner_count;
  struct train_spec train;
};

/**
 * Reads and checks a file of one experiment (config/sweep.h reads those of several) with `--set` assignments
 * (NULL-terminated, or NULL). Errors: DOVETAIL_WRONG with the place.
 * The caller frees it.
 */
struct experiment *experiment_read(const char *path, const char *const *sets, GError **error);

void experiment_free(struct experiment *experiment);
AUTO_DEFINE(experiment, experiment_free)

/**
 * The experiment with every default written out, as YAML. values: of a use (struct plugin_use *) the checked parameters
 * (struct values *), which are then written with their defaults and absolute paths; NULL: parameters are written as
 * given. The caller frees it.
 */
char *experiment_resolved(const struct experiment *experiment, GHashTable *values);

#endif
