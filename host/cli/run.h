/* SPDX-License-Identifier: MIT */
/** What the runs of one command share, whether they belong to a sweep or not. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/plan.h"
#include "train/session.h"

struct run_settings {
  const struct registry *registry;
  struct dataset_pool *pool;
  const char *runs, *command; /**< as of struct session_config */
  struct choices *choices;    /**< NULL: none by time */
  const gint *interrupted;
  gboolean quiet, json;
  gboolean stop_on_error; /**< after the first run that failed */
};

/**
 * Runs a job with progress on stderr. config: of its members those that tell about the run's directory.
 * NULL with an error; the caller frees the result.
 */
struct session_result *run_job(const struct run_settings *settings, const struct job *job, struct session_config config,
                               GError **error);

/** Runs what is not done of a sweep, and prints its summary. Returns the exit status. */
int run_sweep(const struct run_settings *settings, const struct plan *plan);

#endif
