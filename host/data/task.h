/* SPDX-License-Identifier: MIT */
/** A task: the examples of a dataset, or of some of its classes, that a network is to tell apart. */
#ifndef DATA_TASK_H
#define DATA_TASK_H

#include "data/dataset.h"

struct task {
  const struct dataset *dataset;
  guint class_count;
  const char **class_names;            /**< by the task's labels; the names belong to the dataset */
  gint32 *labels;                      /**< by the dataset's labels: the task's, or -1 where the class is not in it */
  guint32 *examples[DVT_SUBSET_COUNT]; /**< indices in the dataset, rising */
  guint32 count[DVT_SUBSET_COUNT];
  float *scale, *shift; /**< by channel: normalised = scale · byte + shift */
};

/**
 * classes[0 .. class_count): labels of the dataset, in the task's order, each once; NULL: all. limit: the first so many
 * examples of each subset, of which those of other classes are then left out. The dataset must outlive the task. A
 * subset without an example is DOVETAIL_WRONG at `mark`. The caller frees it.
 */
struct task *task_new(const struct dataset *dataset, const guint32 *classes, guint class_count,
                      const guint64 limit[DVT_SUBSET_COUNT], struct mark mark, GError **error);
void task_free(struct task *task);
AUTO_DEFINE(task, task_free)

/**
 * Examples first .. first + count - 1 of a subset, in the dataset's order, normalised and not augmented:
 * images [count, C, H, W], labels [count]. Any thread.
 */
gboolean task_read(const struct task *task, enum dvt_subset subset, guint32 first, guint32 count, float *images,
                   gint32 *labels, GError **error);

#endif
