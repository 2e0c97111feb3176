/* SPDX-License-Identifier: MIT */
#include "conform/dataset_rig.h"

#include "plugin/check.h"

enum { MOST_EXAMPLES = 20000, USED_EXAMPLES = 10 };

static gpointer open_dataset(struct probe *probe, const struct values *values, char **refusal) {
  g_autoptr(GError) error = NULL;
  struct dataset *dataset = dataset_open(probe->plugin, values->value, &probe->watch.services.table, NULL, &error);
  g_free(g_steal_pointer(refusal));
  if (!dataset) {
    *refusal = g_strdup(error->message);
    return NULL;
  }
  struct dataset_rig *rig = g_new0(struct dataset_rig, 1);
  rig->probe = probe;
  rig->dataset = dataset;
  block_init(&rig->image, dataset_image_size(dataset));
  block_init(&rig->label, sizeof(guint32));
  return rig;
}

struct dataset_rig *dataset_rig_open(struct probe *probe) {
  return kind_open(probe);
}

void dataset_rig_free(struct dataset_rig *rig) {
  if (!rig) return;
  dataset_free(rig->dataset);
  block_clear(&rig->image);
  block_clear(&rig->label);
  g_free(rig);
}

static void close_dataset(gpointer instance) { dataset_rig_free(instance); }

gboolean dataset_rig_read(struct dataset_rig *rig, enum dvt_subset subset, guint64 index) {
  struct dvt_error fault = DVT_ERROR_INIT;
  g_autofree char *call = g_strdup_printf("read of example %" G_GUINT64_FORMAT " of subset %d", index, (int)subset);
  const int status =
      rig->dataset->ops->read(rig->dataset->self, subset, index, rig->image.data, rig->label.data, &fault);
  return probe_called(rig->probe, call, &fault, status);
}

guint64 dataset_rig_count(const struct dataset_rig *rig, enum dvt_subset subset) {
  return MIN(rig->dataset->info->count[subset], MOST_EXAMPLES);
}

guint64 dataset_rig_index(const struct dataset_rig *rig, enum dvt_subset subset, guint64 k) {
  const guint64 all = rig->dataset->info->count[subset], count = dataset_rig_count(rig, subset);
  return count > 1 ? k * (all - 1) / (count - 1) : 0;
}

static gboolean use_dataset(gpointer instance, struct record *record) {
  struct dataset_rig *rig = instance;
  for (guint subset = 0; subset < DVT_SUBSET_COUNT; subset++)
    for (guint64 k = 0; k < MIN(dataset_rig_count(rig, subset), USED_EXAMPLES); k++) {
      if (!dataset_rig_read(rig, subset, k)) return FALSE;
      record_bytes(record, "image", rig->image.data, rig->image.size);
      record_number(record, "label", *(guint32 *)rig->label.data);
    }
  return TRUE;
}

static int init_dataset(gpointer instance, void *created, struct dvt_error *fault) {
  const struct dataset_rig *rig = instance;
  return rig->dataset->ops->init(created, &rig->probe->watch.services.table, fault);
}

GPtrArray *dataset_paths(const struct dvt_plugin *plugin, const char *path) {
  g_autoptr(GPtrArray) settings = settings_new();
  for (guint k = 0; k < plugin->param_count; k++)
    if (plugin_param(plugin, k)->type == DVT_TYPE_PATH) settings_add(settings, plugin_param(plugin, k), path);
  return settings->len ? g_steal_pointer(&settings) : NULL;
}

static int fail_dataset(struct probe *probe, guint variant, const char **what, struct dvt_error *fault) {
  const struct dvt_dataset_ops *ops = probe->plugin->ops;
  g_autoptr(GPtrArray) settings = variant ? NULL : dataset_paths(probe->plugin, "/no/such/path");
  AUTO(values) values = settings ? settings_values(probe->options, probe->plugin, settings, NULL) : NULL;
  void *created = NULL;
  *what = "a path to nothing";
  if (!values || ops->create(values->value, &created, fault) != DVT_OK) return KIND_NO_MORE;
  const int status = ops->init(created, &probe->watch.services.table, fault);
  ops->destroy(created);
  return status;
}

const struct kind dataset_kind = {open_dataset, use_dataset, close_dataset, init_dataset, fail_dataset, NULL};
