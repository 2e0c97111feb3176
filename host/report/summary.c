/* SPDX-License-Identifier: MIT */
#include "report/summary.h"

#include <math.h>

static const struct {
  const char *key, *name;
} measures[SUMMARY_MEASURES] = {
    [SUMMARY_OWN] = {"own_accuracy", "own accuracy"},
    [SUMMARY_SWAP] = {"swap_accuracy", "swap accuracy"},
    [SUMMARY_CORRELATION] = {"correlation", "correlation"},
    [SUMMARY_MATCHED] = {"matched_correlation", "matched correlation"},
    [SUMMARY_CKA] = {"cka", "CKA"},
};

const char *summary_measure_key(enum summary_measure measure) { return measures[measure].key; }

const char *summary_measure_name(enum summary_measure measure) { return measures[measure].name; }

const char *summary_state_name(enum summary_state state) {
  static const char *const names[SUMMARY_STATES] = {"done", "failed", "interrupted", "running", "pending"};
  return names[state];
}

const char *summary_label(const struct summary *summary, const struct summary_group *group, guint axis) {
  return g_ptr_array_index(summary->axes[axis].labels, group->points[axis]);
}

gboolean summary_has(const struct summary *summary, enum summary_measure measure) {
  for (guint k = 0; k < summary->group_count; k++)
    if (!isnan(summary->groups[k].values[measure].mean)) return TRUE;
  return FALSE;
}

struct summary_value summary_value_of(const double *values, guint count) {
  double sum = 0, squares = 0;
  guint n = 0;
  for (guint k = 0; k < count; k++)
    if (!isnan(values[k])) sum += values[k], n++;
  const double mean = n ? sum / n : (double)NAN;
  for (guint k = 0; k < count; k++)
    if (!isnan(values[k])) squares += (values[k] - mean) * (values[k] - mean);
  return (struct summary_value){mean, n > 1 ? sqrt(squares / (n - 1)) : (double)NAN};
}

void summary_free(struct summary *summary) {
  if (!summary) return;
  for (guint k = 0; k < summary->axis_count; k++) {
    g_free(summary->axes[k].key);
    g_ptr_array_unref(summary->axes[k].labels);
  }
  for (guint k = 0; k < summary->group_count; k++) g_free(summary->groups[k].points);
  g_free(summary->axes);
  g_free(summary->groups);
  g_free(summary->name);
  g_free(summary);
}
