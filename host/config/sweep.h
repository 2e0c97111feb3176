/* SPDX-License-Identifier: MIT */
/**
 * The experiments of a file: one, or, with `sweep:`, one for every combination of the values that its keys have.
 * docs/sweeps.md tells how to write them.
 */
#ifndef CONFIG_SWEEP_H
#define CONFIG_SWEEP_H

#include "config/experiment.h"

enum { SWEEP_MAX_RUNS = 10000 };

/** A key that is swept. Strings belong to the sweep. */
struct sweep_axis {
  const char *key;     /**< a path as of --set */
  struct mark mark;    /**< of the key */
  const char **labels; /**< of its values, in the file's order; each is there once */
  guint count;
};

struct sweep {
  char *path;
  struct yaml_tree *tree;
  struct sweep_axis *axes; /**< in the file's order */
  guint axis_count;        /**< 0: the file has no sweep, and is one experiment */
  guint count;             /**< runs, at least 1; the last axis varies fastest */
};

/**
 * Reads a file with `--set` assignments (NULL-terminated, or NULL) and checks its `sweep:`, not yet the experiments.
 * Errors: DOVETAIL_WRONG with the place. The caller frees it.
 */
struct sweep *sweep_read(const char *path, const char *const *sets, GError **error);

/** The same of a text; `name` stands for the file in messages. */
struct sweep *sweep_read_text(const char *name, const char *text, const char *const *sets, GError **error);

void sweep_free(struct sweep *sweep);
AUTO_DEFINE(sweep, sweep_free)

/**
 * The experiment of a run, checked. It is made of the text that sweep_read found, whatever became of the file.
 * Errors: DOVETAIL_WRONG with the place, in a swept value its own. The caller frees it, before the sweep.
 */
struct experiment *sweep_experiment(const struct sweep *sweep, guint run, GError **error);

/** The label of an axis in a run. */
const char *sweep_label(const struct sweep *sweep, guint run, guint axis);

/** "LABEL,LABEL": a name for a run's directory, at most 200 bytes. The caller frees it. */
char *sweep_run_name(const struct sweep *sweep, guint run);

/** "KEY=LABEL, KEY=LABEL" for people. The caller frees it. */
char *sweep_run_title(const struct sweep *sweep, guint run);

#endif
