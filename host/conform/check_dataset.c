/* SPDX-License-Identifier: MIT */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "conform/checks.h"
#include "conform/dataset_rig.h"

static const char *const subset_names[DVT_SUBSET_COUNT] = {"training", "test"};

void check_dataset_info(struct probe *probe) {
  AUTO(dataset_rig) rig = dataset_rig_open(probe);
  if (!rig) return;
  const struct dvt_dataset_info *info = rig->dataset->info;
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  if (info->struct_size < sizeof *info)
    probe_fail(probe, "info has struct_size %u; in ABI 1.0 it is %zu", info->struct_size, sizeof *info);
  for (guint k = 0; k < info->class_count; k++)
    if (!g_hash_table_add(names, (gpointer)info->class_names[k]))
      probe_fail(probe, "two classes are named '%s'", info->class_names[k]);
  const struct dvt_dataset_info before = *info;
  if (!dataset_rig_read(rig, DVT_SUBSET_TRAIN, 0)) return;
  const struct dvt_dataset_info *again = rig->dataset->ops->info(rig->dataset->self);
  if (!again || memcmp(&before, again, sizeof before)) probe_fail(probe, "info says something else after a read");
}

void check_dataset_labels(struct probe *probe) {
  AUTO(dataset_rig) rig = dataset_rig_open(probe);
  for (guint subset = 0; rig && subset < DVT_SUBSET_COUNT; subset++)
    for (guint64 k = 0; k < dataset_rig_count(rig, subset); k++) {
      const guint64 index = dataset_rig_index(rig, subset, k);
      if (!dataset_rig_read(rig, subset, index)) return;
      const guint32 label = *(guint32 *)rig->label.data;
      if (label < rig->dataset->info->class_count) continue;
      probe_fail(probe, "%s example %" G_GUINT64_FORMAT " has label %u; there are %u classes", subset_names[subset],
                 index, label, rig->dataset->info->class_count);
      return;
    }
}

static void forget(const struct dataset_rig *rig, guint8 byte) {
  memset(rig->image.data, byte, rig->image.size);
  memset(rig->label.data, byte, rig->label.size);
}

/* Over memory of two kinds: what a read leaves unwritten differs. */
void check_dataset_same(struct probe *probe) {
  AUTO(dataset_rig) rig = dataset_rig_open(probe);
  g_autofree guint8 *first = rig ? g_malloc(rig->image.size) : NULL;
  for (guint subset = 0; rig && subset < DVT_SUBSET_COUNT; subset++)
    for (guint64 k = 0; k < dataset_rig_count(rig, subset); k++) {
      const guint64 index = dataset_rig_index(rig, subset, k);
      forget(rig, 0x00);
      if (!dataset_rig_read(rig, subset, index)) return;
      const guint32 label = *(guint32 *)rig->label.data;
      memcpy(first, rig->image.data, rig->image.size);
      forget(rig, 0xff);
      if (!dataset_rig_read(rig, subset, index)) return;
      if (label == *(guint32 *)rig->label.data && !memcmp(first, rig->image.data, rig->image.size)) continue;
      probe_fail(probe, "%s example %" G_GUINT64_FORMAT " is another the second time, or was not written in full",
                 subset_names[subset], index);
      return;
    }
}

void check_dataset_guards(struct probe *probe) {
  AUTO(dataset_rig) rig = dataset_rig_open(probe);
  for (guint subset = 0; rig && subset < DVT_SUBSET_COUNT; subset++)
    for (guint64 k = 0; k < dataset_rig_count(rig, subset); k++) {
      if (!dataset_rig_read(rig, subset, dataset_rig_index(rig, subset, k))) return;
      if (block_intact(&rig->image) && block_intact(&rig->label)) continue;
      probe_fail(probe, "read wrote before or past the %s", block_intact(&rig->label) ? "image" : "label");
      return;
    }
}

/* One thread's share of the indices: a sum over what it read. */
struct reader {
  struct dataset_rig rig; /* with blocks of its own */
  guint first, stride;
  guint64 sum;
};

static void *read_share(gpointer data) {
  struct reader *reader = data;
  for (guint subset = 0; subset < DVT_SUBSET_COUNT; subset++)
    for (guint64 k = reader->first; k < dataset_rig_count(&reader->rig, subset); k += reader->stride) {
      const guint64 index = dataset_rig_index(&reader->rig, subset, k);
      if (!dataset_rig_read(&reader->rig, subset, index)) return NULL;
      guint64 hash = *(guint32 *)reader->rig.label.data + 1;
      const guint8 *bytes = reader->rig.image.data;
      for (gsize i = 0; i < reader->rig.image.size; i++) hash = hash * 31 + bytes[i];
      reader->sum += hash * (2 * k + 1);
    }
  return NULL;
}

static guint64 read_all(struct dataset_rig *rig, guint threads) {
  g_autofree struct reader *readers = g_new0(struct reader, threads);
  g_autofree GThread **handles = g_new0(GThread *, threads);
  guint64 sum = 0;
  for (guint k = 0; k < threads; k++) {
    readers[k] = (struct reader){.rig = *rig, .first = k, .stride = threads};
    block_init(&readers[k].rig.image, rig->image.size);
    block_init(&readers[k].rig.label, rig->label.size);
    handles[k] = g_thread_new("reader", read_share, &readers[k]);
  }
  for (guint k = 0; k < threads; k++) {
    g_thread_join(handles[k]);
    sum += readers[k].sum;
    block_clear(&readers[k].rig.image);
    block_clear(&readers[k].rig.label);
  }
  return sum;
}

void check_dataset_threads(struct probe *probe) {
  AUTO(dataset_rig) rig = dataset_rig_open(probe);
  if (!rig) return;
  const guint64 alone = read_all(rig, 1);
  for (guint round = 0; round < 3; round++)
    if (read_all(rig, 8) != alone) probe_fail(probe, "eight threads read other bytes than one");
}

/* Sums of a channel's bytes. */
struct moments {
  double sum, squares, count;
};

static gboolean measure(struct dataset_rig *rig, struct moments *moments) {
  const gint64 *shape = rig->dataset->info->image, area = shape[1] * shape[2];
  for (guint64 k = 0; k < dataset_rig_count(rig, DVT_SUBSET_TRAIN); k++) {
    if (!dataset_rig_read(rig, DVT_SUBSET_TRAIN, dataset_rig_index(rig, DVT_SUBSET_TRAIN, k))) return FALSE;
    const guint8 *bytes = rig->image.data;
    for (gint64 i = 0; i < shape[0] * area; i++) {
      const double value = bytes[i] / 255.0;
      moments[i / area].sum += value;
      moments[i / area].squares += value * value;
      moments[i / area].count++;
    }
  }
  return TRUE;
}

void check_dataset_statistics(struct probe *probe) {
  AUTO(dataset_rig) rig = dataset_rig_open(probe);
  if (!rig) return;
  const struct dvt_dataset_info *info = rig->dataset->info;
  g_autofree struct moments *moments = g_new0(struct moments, info->image[0]);
  if (!measure(rig, moments)) return;
  for (gint64 c = 0; c < info->image[0]; c++) {
    const double mean = moments[c].sum / moments[c].count;
    const double deviation = sqrt(MAX(moments[c].squares / moments[c].count - mean * mean, 0));
    if (fabs(mean - (double)info->mean[c]) > 0.02 || fabs(deviation - (double)info->deviation[c]) > 0.02)
      probe_warn(probe, "channel %d has mean %.3f and deviation %.3f; info says %.3f and %.3f", (int)c, mean, deviation,
                 (double)info->mean[c], (double)info->deviation[c]);
  }
}

/* create, and init where that is asked for, with every path set to `path`. KIND_NO_MORE: no parameter is a path. */
static int try_path(struct probe *probe, const char *path, gboolean init, struct dvt_error *fault) {
  const struct dvt_dataset_ops *ops = probe->plugin->ops;
  g_autoptr(GPtrArray) settings = dataset_paths(probe->plugin, path);
  AUTO(values) values = settings ? settings_values(probe->options, probe->plugin, settings, NULL) : NULL;
  void *dataset = NULL;
  if (!values) return KIND_NO_MORE;
  int status = ops->create(values->value, &dataset, fault);
  if (status != DVT_OK) return status;
  if (init) status = ops->init(dataset, &probe->watch.services.table, fault);
  ops->destroy(dataset);
  return status;
}

void check_dataset_create(struct probe *probe) {
  struct dvt_error fault = DVT_ERROR_INIT;
  const int status = try_path(probe, "/no/such/path", FALSE, &fault);
  if (status == KIND_NO_MORE)
    probe_skip(probe, "none of its parameters is a path");
  else if (status != DVT_OK)
    probe_fail(probe, "create failed for a path that does not exist, which init is to find out: %s", fault.message);
}

static void expect_named(struct probe *probe, const char *path, const char *what) {
  struct dvt_error fault = DVT_ERROR_INIT;
  const int status = try_path(probe, path, TRUE, &fault);
  if (status == KIND_NO_MORE)
    probe_skip(probe, "none of its parameters is a path");
  else if (status == DVT_OK)
    probe_warn(probe, "init takes %s for data", what);
  else if (!strstr(fault.message, path))
    probe_fail(probe, "init refuses %s without its name: '%s'", what, fault.message);
}

void check_dataset_missing(struct probe *probe) { expect_named(probe, "/no/such/path", "a path to nothing"); }

void check_dataset_empty(struct probe *probe) {
  g_autofree char *folder = g_dir_make_tmp("dovetail-conform-XXXXXX", NULL);
  if (!folder) {
    probe_skip(probe, "no folder can be made");
    return;
  }
  expect_named(probe, folder, "an empty folder");
  g_rmdir(folder);
}
