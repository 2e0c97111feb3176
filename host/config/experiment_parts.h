/* SPDX-License-Identifier: MIT */
/** The parts of an experiment that have files of their own. */
#ifndef CONFIG_EXPERIMENT_PARTS_H
#define CONFIG_EXPERIMENT_PARTS_H

#include "config/experiment.h"

/** Names of enum scheme, enum schedule_kind, and of enum dvt_precision those that may be asked for; then NULL. */
extern const char *const schemes[];
extern const char *const schedule_kinds[];
extern const char *const precisions[];

/**
 * Reads a file, or `text` (NULL: none) in its place, and assigns `sets` (NULL-terminated, or NULL).
 * The caller frees the tree; NULL with an error.
 */
struct yaml_tree *experiment_tree(const char *path, const char *text, const char *const *sets, GError **error);

/** Checks the experiment of a tree, which it takes over, also on an error. `path`: for messages. */
struct experiment *experiment_of_tree(const char *path, struct yaml_tree *tree, GError **error);

/** Reads `train:`; a NULL node means all defaults. */
gboolean train_read(const struct yaml_node *node, struct train_spec *train, GError **error);

#endif
