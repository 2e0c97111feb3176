/* SPDX-License-Identifier: MIT */
#include "conform/kinds.h"

#include <dovetail/aligner.h>
#include <dovetail/dataset.h>
#include <dovetail/module.h>

const struct kind *kind_of(const struct dvt_plugin *plugin) {
  static const struct kind *const kinds[] = {
      [DVT_KIND_BACKBONE] = &module_kind,
      [DVT_KIND_HEAD] = &module_kind,
      [DVT_KIND_ALIGNER] = &aligner_kind,
      [DVT_KIND_DATASET] = &dataset_kind,
  };
  return kinds[plugin->kind];
}

struct lifecycle lifecycle_of(const struct dvt_plugin *plugin) {
  if (plugin->kind == DVT_KIND_ALIGNER) {
    const struct dvt_aligner_ops *ops = plugin->ops;
    return (struct lifecycle){ops->create, ops->destroy};
  }
  if (plugin->kind == DVT_KIND_DATASET) {
    const struct dvt_dataset_ops *ops = plugin->ops;
    return (struct lifecycle){ops->create, ops->destroy};
  }
  const struct dvt_module_ops *ops = plugin->ops;
  return (struct lifecycle){ops->create, ops->destroy};
}

struct values *probe_values(struct probe *probe) {
  g_autoptr(GError) error = NULL;
  struct values *values = settings_values(probe->options, probe->plugin, NULL, &error);
  if (!values) probe_skip(probe, "%s", error->message);
  return values;
}

gpointer kind_open(struct probe *probe) {
  AUTO(values) values = probe_values(probe);
  g_autofree char *refusal = NULL;
  if (!values) return NULL;
  gpointer instance = kind_of(probe->plugin)->open(probe, values, &refusal);
  if (!instance && refusal) probe_skip(probe, "it takes nothing that was tried: %s", refusal);
  return instance;
}

gboolean kind_live(struct probe *probe, struct record *record) {
  gpointer instance = kind_open(probe);
  if (!instance) return FALSE;
  const gboolean good = kind_of(probe->plugin)->use(instance, record);
  kind_of(probe->plugin)->close(instance);
  return good;
}
