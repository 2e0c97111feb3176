/* SPDX-License-Identifier: MIT */
#include "data/dataset.h"

#include <math.h>

#include "base/text.h"
#include "plugin/fault.h"

/* What is wrong with what the plugin says of itself, or NULL. */
static const char *info_fault(const struct dvt_dataset_info *info) {
  if (!info) return "nothing about itself";
  const gint64 *image = info->image, most = 1 << 14;
  for (guint axis = 0; axis < 3; axis++)
    if (image[axis] < 1 || image[axis] > most) return "an impossible image shape";
  if (image[0] * image[1] * image[2] > G_MAXINT32) return "an impossible image shape";
  if (info->class_count < 1 || !info->class_names) return "no classes";
  for (guint subset = 0; subset < DVT_SUBSET_COUNT; subset++)
    if (info->count[subset] < 1 || info->count[subset] > G_MAXINT32) return "an impossible number of examples";
  for (guint label = 0; label < info->class_count; label++)
    if (!info->class_names[label] || !text_is_line(info->class_names[label]))
      return "a class without a name of one line";
  if (!info->mean || !info->deviation) return "no mean or deviation";
  for (gint64 channel = 0; channel < info->image[0]; channel++)
    if (!isfinite(info->mean[channel]) || !isfinite(info->deviation[channel]) || !(info->deviation[channel] > 0))
      return "an impossible mean or deviation";
  return NULL;
}

static gboolean fail(const struct dataset *dataset, const struct dvt_error *fault, int status, GError **error) {
  g_autofree char *text = fault_text(fault, status);
  return error_failed(error, "dataset %s: %s", dataset->plugin->name, text);
}

struct dataset *dataset_open(const struct dvt_plugin *plugin, const struct dvt_value *values,
                             const struct dvt_host *host, const struct plugin_use *use, GError **error) {
  AUTO(dataset) dataset = g_new0(struct dataset, 1);
  struct dvt_error fault = DVT_ERROR_INIT;
  dataset->plugin = plugin;
  dataset->ops = plugin->ops;
  int status = dataset->ops->create(values, &dataset->self, &fault);
  if (status != DVT_OK) {
    g_autofree char *text = fault_text(&fault, status);
    error_at(error, fault_mark(&fault, use), "dataset %s: %s", plugin->name, text);
    return NULL;
  }
  status = dataset->ops->init(dataset->self, host, &fault);
  if (status != DVT_OK) {
    fail(dataset, &fault, status, error);
    error_place(error, fault_mark(&fault, use));
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
  const int status = dataset->ops->read(dataset->self, subset, index, image, label, &fault);
  if (status != DVT_OK) return fail(dataset, &fault, status, error);
  if (*label < dataset->info->class_count) return TRUE;
  return error_failed(error, "dataset %s: example %" G_GUINT64_FORMAT " has label %u; there are %u classes",
                      dataset->plugin->name, index, *label, dataset->info->class_count);
}
