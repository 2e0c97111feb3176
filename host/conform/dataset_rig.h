/* SPDX-License-Identifier: MIT */
/** A dataset under test. */
#ifndef CONFORM_DATASET_RIG_H
#define CONFORM_DATASET_RIG_H

#include "conform/block.h"
#include "conform/kinds.h"
#include "data/dataset.h"

struct dataset_rig {
  struct probe *probe;
  struct dataset *dataset;
  struct block image, label; /**< where examples are read to */
};

struct dataset_rig *dataset_rig_open(struct probe *probe);
void dataset_rig_free(struct dataset_rig *rig);
AUTO_DEFINE(dataset_rig, dataset_rig_free)

/** Reads an example into the rig's blocks. FALSE with a verdict. */
gboolean dataset_rig_read(struct dataset_rig *rig, enum dvt_subset subset, guint64 index);

/** Examples of a subset that checks look at: all of them, or where there are very many an even choice. */
guint64 dataset_rig_count(const struct dataset_rig *rig, enum dvt_subset subset);
guint64 dataset_rig_index(const struct dataset_rig *rig, enum dvt_subset subset, guint64 k);

/** Settings in which every path is `path`; NULL when the plugin takes none. The caller frees it. */
GPtrArray *dataset_paths(const struct dvt_plugin *plugin, const char *path);

#endif
