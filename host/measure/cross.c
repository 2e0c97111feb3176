/* SPDX-License-Identifier: MIT */
#include "measure/cross.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/largest.h"
#include "base/memory.h"
#include "plugin/tensors.h"

/* One extractor, over every task that a fitting head is for. */
struct row {
  const struct cross_network *networks;
  guint count, index;
  struct cross_config config; /* threads: of this row */
  guint64 *correct;           /* by head */
  struct pass *extractor, **heads;
  float *images, *features, *logits;
  gint32 *labels;
  GError *error;
  GThread *thread;
};

/* Whether an extractor takes the images of the other's task, and its head the features. */
static gboolean fits(const struct module *extractor, const struct cross_network *other) {
  return !memcmp(extractor->output, other->head->input, sizeof extractor->output) &&
         !memcmp(extractor->input, other->task->dataset->info->image, sizeof extractor->input);
}

static gsize elements(const gint64 shape[3]) { return (gsize)(shape[0] * shape[1] * shape[2]); }

static gboolean make_row(struct row *row, GError **error) {
  const struct dvt_pass_config config = {
      .struct_size = sizeof config,
      .capacity = row->config.batch,
      .threads = row->config.threads,
      .precision = row->config.precision,
  };
  struct module *extractor = row->networks[row->index].extractor;
  gsize classes = 1;
  row->heads = g_new0(struct pass *, row->count);
  row->correct = g_new0(guint64, row->count);
  row->labels = g_new(gint32, row->config.batch);
  row->extractor = pass_new(extractor, &config, FALSE, error);
  if (!row->extractor) return FALSE;
  for (guint j = 0; j < row->count; j++) {
    struct module *head = row->networks[j].head;
    if (!fits(extractor, &row->networks[j])) continue;
    classes = MAX(classes, (gsize)head->output[0]);
    if (!(row->heads[j] = pass_new(head, &config, FALSE, error))) return FALSE;
  }
  return (row->images = memory_floats(row->config.batch * elements(extractor->input), error)) &&
         (row->features = memory_floats(row->config.batch * elements(extractor->output), error)) &&
         (row->logits = memory_floats(row->config.batch * classes, error));
}

static void finish_row(struct row *row) {
  for (guint j = 0; row->heads && j < row->count; j++) pass_free(row->heads[j]);
  pass_free(row->extractor);
  free(row->images);
  free(row->features);
  free(row->logits);
  g_free(row->heads);
  g_free(row->labels);
  g_free(row->correct);
}

/* FALSE when a logit is no number. */
static gboolean count_right(const float *logits, guint examples, guint classes, const gint32 *labels, guint64 *right) {
  for (guint k = 0; k < examples; k++) {
    const float *row = logits + (gsize)k * classes;
    for (guint c = 0; c < classes; c++)
      if (!isfinite(row[c])) return FALSE;
    *right += (gint32)largest_logit(row, classes) == labels[k];
  }
  return TRUE;
}

static gboolean judge(struct row *row, guint j, const struct dvt_tensor *features, guint n, GError **error) {
  const guint classes = (guint)row->networks[j].head->output[0];
  struct dvt_tensor logits = tensor_logits(row->logits, n, classes);
  if (!pass_forward(row->heads[j], features, &logits, error)) return FALSE;
  if (count_right(row->logits, n, classes, row->labels, &row->correct[j])) return TRUE;
  return error_failed(error, "%s on the features of %s: a logit is not a finite number", row->networks[j].head->label,
                      row->networks[row->index].extractor->label);
}

static gboolean run_task(struct row *row, const struct task *task, GError **error) {
  const struct module *extractor = row->networks[row->index].extractor;
  const guint32 total = task->count[DVT_SUBSET_TEST];
  for (guint32 first = 0; first < total; first += row->config.batch) {
    if (g_atomic_int_get(row->config.interrupted)) {
      g_set_error_literal(error, DOVETAIL_ERROR, DOVETAIL_INTERRUPTED, "interrupted");
      return FALSE;
    }
    const guint n = MIN(row->config.batch, total - first);
    if (!task_read(task, DVT_SUBSET_TEST, first, n, row->images, row->labels, error)) return FALSE;
    const struct dvt_tensor images = tensor_maps(row->images, n, extractor->input);
    struct dvt_tensor features = tensor_maps(row->features, n, extractor->output);
    if (!pass_forward(row->extractor, &images, &features, error)) return FALSE;
    for (guint j = 0; j < row->count; j++)
      if (row->heads[j] && row->networks[j].task == task && !judge(row, j, &features, n, error)) return FALSE;
  }
  return TRUE;
}

/* Whether an earlier network's head already brought this one's task along. */
static gboolean task_done(const struct row *row, guint j) {
  for (guint before = 0; before < j; before++)
    if (row->heads[before] && row->networks[before].task == row->networks[j].task) return TRUE;
  return FALSE;
}

static gpointer run_row(gpointer data) {
  struct row *row = data;
  if (!make_row(row, &row->error)) return NULL;
  for (guint j = 0; j < row->count; j++)
    if (row->heads[j] && !task_done(row, j) && !run_task(row, row->networks[j].task, &row->error)) return NULL;
  return NULL;
}

static void take_accuracies(const struct row *row, double *accuracy) {
  for (guint j = 0; j < row->count; j++)
    accuracy[j] = row->heads[j] ? (double)row->correct[j] / row->networks[j].task->count[DVT_SUBSET_TEST] : (double)NAN;
}

gboolean cross_measure(const struct cross_network *networks, guint count, const struct cross_config *config,
                       double *accuracy, GError **error) {
  g_autofree struct row *rows = g_new0(struct row, count);
  for (guint i = 0; i < count; i++) {
    rows[i] = (struct row){.networks = networks, .count = count, .index = i, .config = *config};
    rows[i].config.threads = MAX(1, config->threads / count);
    rows[i].thread = g_thread_new("cross", run_row, &rows[i]);
  }
  GError *first = NULL;
  for (guint i = 0; i < count; i++) {
    g_thread_join(rows[i].thread);
    if (rows[i].error && first) g_error_free(rows[i].error);
    else if (rows[i].error) first = rows[i].error;
    else take_accuracies(&rows[i], accuracy + (gsize)i * count);
    finish_row(&rows[i]);
  }
  if (!first) return TRUE;
  g_propagate_error(error, first);
  return FALSE;
}
