/* SPDX-License-Identifier: MIT */
/**
 * What a sweep gave: its finished runs in groups of those that differ only in the seed, with mean and standard
 * deviation of each measure. A run on its own is a summary of one group without axes.
 */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include "base/auto.h"
#include "base/error.h"

enum summary_measure { SUMMARY_OWN, SUMMARY_SWAP, SUMMARY_CORRELATION, SUMMARY_MATCHED, SUMMARY_CKA, SUMMARY_MEASURES };

enum summary_state {
  SUMMARY_DONE,
  SUMMARY_FAILED,
  SUMMARY_INTERRUPTED,
  SUMMARY_RUNNING,
  SUMMARY_PENDING,
  SUMMARY_STATES
};

/** Over the runs of a group that have the measure. Accuracies are shares. */
struct summary_value {
  double mean;      /**< NaN: no run has it */
  double deviation; /**< standard deviation (n − 1); NaN below two runs */
};

/** What a sweep varies, but for the seed. */
struct summary_axis {
  char *key;         /**< as "aligners" or "networks.*.split" */
  GPtrArray *labels; /**< strings, in the order of the experiment */
};

struct summary_group {
  guint *points; /**< [axis] an index into the axis' labels */
  guint runs;    /**< done */
  double chance; /**< mean; NaN without a run */
  struct summary_value values[SUMMARY_MEASURES];
};

struct summary {
  char *name;
  gboolean sweep;               /**< FALSE: a run on its own */
  guint states[SUMMARY_STATES]; /**< how many runs are in each state; done without results: pending */
  guint axis_count;
  struct summary_axis *axes;
  guint group_count;
  struct summary_group *groups; /**< in the order of the sweep's runs; also those without a run that is done */
};

/**
 * Reads a sweep's directory (sweep.json, and results.json of each run that is done) or that of a finished run. A key
 * that results of an older version lack counts as null. DOVETAIL_WRONG: the directory is neither; DOVETAIL_FAILED: a
 * file cannot be read or is damaged, with its place. The caller frees it.
 */
struct summary *summary_read(const char *directory, GError **error);
void summary_free(struct summary *summary);
AUTO_DEFINE(summary, summary_free)

/** The name of a measure as in results.json ("own_accuracy"), and for people ("own accuracy"). */
const char *summary_measure_key(enum summary_measure measure);
const char *summary_measure_name(enum summary_measure measure);

/** The name of a state, as in sweep.json ("done"). */
const char *summary_state_name(enum summary_state state);

/** The label of a group on an axis. */
const char *summary_label(const struct summary *summary, const struct summary_group *group, guint axis);

/** Whether any group has this measure. */
gboolean summary_has(const struct summary *summary, enum summary_measure measure);

/** Mean and standard deviation; values that are NaN do not count. */
struct summary_value summary_value_of(const double *values, guint count);

/** A table for people, with a line above it that says how many runs there are and how many are missing. */
void summary_table(GString *out, const struct summary *summary);

/** A line for each group: the axes, runs, chance, then mean and standard deviation of the measures first … last. */
void summary_csv(GString *out, const struct summary *summary, enum summary_measure first, enum summary_measure last);

/** All of it as JSON text. The caller frees it. */
char *summary_json(const struct summary *summary);

/** Writes summary.csv (all measures) and summary.json into a folder; DOVETAIL_FAILED names what could not be written.
 */
gboolean summary_write(const struct summary *summary, const char *directory, GError **error);

#endif
