/* SPDX-License-Identifier: MIT */
/** A dataset of a plugin, opened. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <dovetail/dataset.h>
#include <dovetail/plugin.h>

#include "base/auto.h"
#include "base/error.h"
#include "config/use.h"

struct dataset {
  const struct dvt_plugin *plugin;
  const struct dvt_dataset_ops *ops;
  void *self;
  const struct dvt_dataset_info *info; /**< belongs to the plugin */
};

/**
 * Makes and opens a dataset: create and init of the plugin, and a check of what it says of itself. values has one for
 * each row of the plugin's parameter table; host must live as long as the dataset. A refusal by `create` is
 * DOVETAIL_WRONG at the place of what it blames in use (NULL: nowhere), one by `init` DOVETAIL_FAILED with that
 * place. The caller frees it.
 */
struct dataset *dataset_open(const struct dvt_plugin *plugin, const struct dvt_value *values,
                             const struct dvt_host *host, const struct plugin_use *use, GError **error);
void dataset_free(struct dataset *dataset);
AUTO_DEFINE(dataset, dataset_free)

/** Bytes of one image. */
gsize dataset_image_size(const struct dataset *dataset);

/** Reads one example; checks the label. Any thread. */
gboolean dataset_read(const struct dataset *dataset, enum dvt_subset subset, guint64 index, guint8 *image,
                      guint32 *label, GError **error);

#endif
