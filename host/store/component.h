/* SPDX-License-Identifier: MIT */
/**
 * A component as a file: an extractor or a head with its weights, and what it is, in the file's metadata, so that it
 * can be used without the run that made it. docs/components.md lists the keys.
 */
#ifndef STORE_COMPONENT_H
#define STORE_COMPONENT_H

#include "store/safetensors.h"

struct component_aligner {
  const char *plugin;
  double weight; /**< λ */
};

/** What is NULL, 0 of a count or a shape, or NaN, is absent: all of it in a file that others made. */
struct component_info {
  const char *kind;             /**< "extractor", "head" or "auxiliary head" */
  const char *plugin, *version; /**< the plugin's name and its own version */
  const char *params;           /**< a JSON object: every parameter of the plugin */
  const char *split;            /**< where the backbone is cut: what an extractor ends with, a head begins with */
  gint64 input[3], output[3];   /**< C, H, W of an example; the output of a head is classes, 1, 1 */
  const char *const *class_names;
  guint class_count;
  const float *mean, *deviation; /**< of the images' channels, on the scale where 255 is 1 */
  guint channel_count;
  const char *const *aligned_with; /**< names of the run's networks */
  guint aligned_count;
  const struct component_aligner *aligned_by;
  guint aligner_count;
  const char *network;         /**< that it was trained in; NULL: an auxiliary head */
  const char *seed;            /**< of its experiment, in decimal: with network and params: what was drawn at first */
  double own_accuracy;         /**< share of the test subset; NaN: not measured */
  const char *experiment_hash; /**< SHA-256 of the resolved experiment */
  const char *dovetail;        /**< version of Dovetail */
  GPtrArray *owned;            /**< what component_read_info allocated; NULL in what is written */
};

/** Writes tensors[0 .. count), info and a checksum of the tensors, as safetensors_write does. */
gboolean component_write(const char *path, const struct component_info *info, const struct safetensor *tensors,
                         guint count, GError **error);

/**
 * Reads what a file says of itself. *info lives on without the file, and the caller clears it. A key that is there but
 * not as it should be is DOVETAIL_FAILED that names file and key; *info needs no clearing then.
 */
gboolean component_read_info(const struct safetensors *file, struct component_info *info, GError **error);

/**
 * Checks that the tensors are those that component_write wrote, by the file's own checksum; a file without one passes.
 * Else DOVETAIL_FAILED that names the file.
 */
gboolean component_check_tensors(const struct safetensors *file, GError **error);

/** Frees what component_read_info allocated; all is absent then. */
void component_info_clear(struct component_info *info);

/** The same, and frees info itself, which g_new0 made. */
void component_info_free(struct component_info *info);

#endif
