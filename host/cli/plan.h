/* SPDX-License-Identifier: MIT */
/** What is to be done for a file: its runs, all of them checked. */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include "config/sweep.h"
#include "train/compose.h"

struct planned_run {
  char *resolved; /**< the experiment with every default */
  char *hash;     /**< SHA-256 of that: what a sweep knows the run by */
  guint64 steps;
};

struct plan {
  struct sweep *sweep;
  char *name;               /**< the experiments' */
  guint networks, aligners; /**< of the first run */
  struct planned_run *runs; /**< sweep->count */
};

/**
 * Reads a file and checks each of its experiments as a run would, one after another. Errors as of sweep_read and
 * composition_new; in a sweep they name the run; two runs that are the same are one. The caller frees it.
 */
struct plan *plan_new(const char *path, const char *const *sets, const struct registry *registry,
                      struct dataset_pool *pool, GError **error);
void plan_free(struct plan *plan);
AUTO_DEFINE(plan, plan_free)

/** One run put together. */
struct job {
  struct experiment *experiment;
  struct composition *composition;
};

/** Errors as of plan_new. The caller frees it, before registry and pool. */
struct job *job_new(const struct sweep *sweep, guint run, const struct registry *registry, struct dataset_pool *pool,
                    GError **error);
void job_free(struct job *job);
AUTO_DEFINE(job, job_free)

#endif
