/* SPDX-License-Identifier: MIT */
/** One run from beginning to end: directory, training by stages, cross-evaluation, components, results. */
#ifndef TRAIN_SESSION_H
#define TRAIN_SESSION_H

#include "measure/similarity.h"
#include "store/run.h"
#include "train/compose.h"
#include "train/trainer.h"

struct session_config {
  const char *runs;         /**< folder that the run's directory is made in */
  const char *directory;    /**< name for the run's directory; NULL: the experiment's */
  const char *command;      /**< the command line, for the record */
  struct choices *choices;  /**< of the ways that plugins take; NULL: always the first */
  json_t *recorded_choices; /**< that go before those: see choices_begin; borrowed, or NULL */
  const gint *interrupted;  /**< becomes non-zero when the user wants to stop */
  /** Called when the run's directory is there, which stays whatever happens; FALSE ends the run. Or NULL. */
  gboolean (*begun)(gpointer begun_data, const char *path, GError **error);
  gpointer begun_data;
  /** As of struct trainer_watcher, called in the same threads; the composition is the stage's, the steps are of all. */
  void (*epoch)(gpointer data, const struct composition *composition, const struct epoch_report *report);
  void (*progress)(gpointer data, guint64 step, guint64 steps);
  gpointer data;
};

struct session_result {
  guint count;                   /**< networks */
  guint threads;                 /**< that the networks of the last stage take together */
  guint64 steps;                 /**< of all stages */
  double *accuracy;              /**< [extractor × head]; NaN where they do not fit */
  struct similarity *similarity; /**< [extractor × other]; none on the diagonal and where features cannot be compared */
  double own, swap;              /**< means; swap is NaN for one network */
  double correlation, matched_correlation, cka; /**< means over pairs that have one; NaN when none has */
  double chance;                                /**< mean over networks of 1 / classes */
  double kept; /**< share of its accuracy above chance that a head keeps; NaN when there is none above chance */
  double train_seconds, measure_seconds;
  double images_per_second; /**< training images of all networks together */
  char *path;               /**< the run directory */
};

/**
 * Runs a composition, once. On failure the run directory stays, with the state "failed" or "interrupted". Components
 * are saved as soon as training ends, also when the user ended it. The caller frees the result.
 */
struct session_result *session_run(struct composition *composition, const struct session_config *config,
                                   GError **error);
void session_result_free(struct session_result *result);
AUTO_DEFINE(session_result, session_result_free)

#endif
