/* SPDX-License-Identifier: MIT */
#include "data/task.h"

#include <string.h>

#include "data/augment.h"

static void choose_classes(struct task *task, const guint32 *classes, guint class_count) {
  const struct dvt_dataset_info *info = task->dataset->info;
  task->class_count = classes ? class_count : info->class_count;
  task->class_names = g_new0(const char *, task->class_count);
  task->labels = g_new(gint32, info->class_count);
  memset(task->labels, 0xff, sizeof *task->labels * info->class_count);
  for (guint k = 0; k < task->class_count; k++) {
    const guint32 label = classes ? classes[k] : k;
    task->class_names[k] = info->class_names[label];
    task->labels[label] = (gint32)k;
  }
}

/* Labels are known by reading, so a subset is read once when only some of its classes are wanted. */
static gboolean choose_examples(struct task *task, enum dvt_subset subset, guint64 limit, struct mark mark,
                                GError **error) {
  static const char *const names[] = {"training", "test"};
  const guint32 available = (guint32)MIN(task->dataset->info->count[subset], limit);
  const gboolean all = task->class_count == task->dataset->info->class_count;
  g_autofree guint8 *image = g_malloc(dataset_image_size(task->dataset));
  guint32 *chosen = task->examples[subset] = g_new(guint32, available);
  for (guint32 index = 0; all && index < available; index++) chosen[index] = index;
  if (all) task->count[subset] = available;
  for (guint32 index = 0; !all && index < available; index++) {
    guint32 label;
    if (!dataset_read(task->dataset, subset, index, image, &label, error)) return FALSE;
    if (task->labels[label] >= 0) chosen[task->count[subset]++] = index;
  }
  if (task->count[subset]) return TRUE;
  return error_at(error, mark, "none of the first %u %s examples of dataset %s is of these classes; raise the limit",
                  available, names[subset], task->dataset->plugin->name);
}

static void choose_normalisation(struct task *task) {
  const struct dvt_dataset_info *info = task->dataset->info;
  const gsize channels = (gsize)info->image[0];
  task->scale = g_new(float, channels);
  task->shift = g_new(float, channels);
  for (gsize c = 0; c < channels; c++) {
    task->scale[c] = 1.0f / (255.0f * info->deviation[c]);
    task->shift[c] = -info->mean[c] / info->deviation[c];
  }
}

struct task *task_new(const struct dataset *dataset, const guint32 *classes, guint class_count,
                      const guint64 limit[DVT_SUBSET_COUNT], struct mark mark, GError **error) {
  AUTO(task) task = g_new0(struct task, 1);
  task->dataset = dataset;
  choose_classes(task, classes, class_count);
  choose_normalisation(task);
  for (guint subset = 0; subset < DVT_SUBSET_COUNT; subset++)
    if (!choose_examples(task, subset, limit[subset], mark, error)) return NULL;
  return g_steal_pointer(&task);
}

void task_free(struct task *task) {
  if (!task) return;
  for (guint subset = 0; subset < DVT_SUBSET_COUNT; subset++) g_free(task->examples[subset]);
  g_free(task->class_names);
  g_free(task->labels);
  g_free(task->scale);
  g_free(task->shift);
  g_free(task);
}

gboolean task_read(const struct task *task, enum dvt_subset subset, guint32 first, guint32 count, float *images,
                   gint32 *labels, GError **error) {
  const gsize size = dataset_image_size(task->dataset);
  g_autofree guint8 *image = g_malloc(size);
  const struct augmentation none = {0};
  for (guint32 k = 0; k < count; k++) {
    guint32 label;
    if (!dataset_read(task->dataset, subset, task->examples[subset][first + k], image, &label, error)) return FALSE;
    labels[k] = task->labels[label];
    augment_image(task, image, &none, images + k * size);
  }
  return TRUE;
}
