/* SPDX-License-Identifier: MIT */
#include "data/dataset.h"

#include <math.h>

/* What is wrong with what the plugin says of itself, or NULL. */
static const char *info_fault(const struct dvt_dataset_info *info) {
  if (!info) return "nothing about itself";
  for (guint axis = 0; axis < 3; axis++)
    if (info->image[axis] < 1 || info->image[axis] > 1 << 16) return "an impossible image shape";
  if (info->class_count < 1 || !info->class_names) return "no classes";
  for (guint subset = 0; subset < DVT_SUBSET_COUNT; subset++)
    if (info->count[subset] < 1 || info->count[subset] > G_MAXINT32) return "an impossible number of examples";
  for (gint64 channel = 0; channel < info->image[0]; channel++)
    if (!isfinite(info->mean[channel]) || !(info->deviation[channel] > 0)) return "an impossible mean or deviation";
  return NULL;
}

struct dataset *dataset_open(const struct dvt_plugin *plugin, const struct dvt_value *values,
                             const struct dvt_host *host, struct mark mark, GError **error) {
  AUTO(dataset) dataset = g_new0(struct dataset, 1);
  struct dvt_error fault = DVT_ERROR_INIT;
  dataset->plugin = plugin;
  dataset->ops = plugin->ops;
  if (dataset->ops->create(values, &dataset->self, &fault) != DVT_OK) {
    error_at(error, mark, "dataset %s: %s", plugin->name, fault.message);
    return NULL;
  }
  if (dataset->ops->init(dataset->self, host, &fault) != DVT_OK) {
    error_failed(error, "dataset %s: %s", plugin->name, fault.message);
    return NULL;
  }
  dataset->info = dataset->ops->info(dataset->self);
  const char *wrong = info_fault(dataset->info);
  if (wrong) {
    error_failed(error, "dataset %s: the plugin declares %s", plugin->name, wrong);
    return NULL;
  }
  return g_steal_pointer(&dataset);
}

void dataset_free(struct dataset *dataset) {
  if (!dataset) return;
  if (dataset->self) dataset->ops->destroy(dataset->self);
  g_free(dataset);
}

gsize dataset_image_size(const struct dataset *dataset) {
  const gint64 *image = dataset->info->image;
  return (gsize)(image[0] * image[1] * image[2]);
}

gboolean dataset_read(const struct dataset *dataset, enum dvt_subset subset, guint64 index, guint8 *image,
                      guint32 *label, GError **error) {
  struct dvt_error fault = DVT_ERROR_INIT;
  if (dataset->ops->read(dataset->self, subset, index, image, label, &fault) != DVT_OK)
    return error_failed(error, "dataset %s: %s", dataset->plugin->name, fault.message);
  if (*label < dataset->info->class_count) return TRUE;
  return error_failed(error, "dataset %s: example %" G_GUINT64_FORMAT " has label %u; there are %u classes",
                      dataset->plugin->name, index, *label, dataset->info->class_count);
}
