/* SPDX-License-Identifier: MIT */
/**
 * A sweep's directory: made once, continued and extended by later calls, used by one process at a time.
 *
 *     experiment.yaml   as given last
 *     sweep.json        {"name": …, "axes": [{"key": …, "labels": […]}], "runs": [RUN, …]}, always whole
 *     one run directory for each run that was started (store/run.h); what a later start replaced stays
 *     .lock             held while a process works here
 *
 * A RUN is {"labels": [one for each axis], "hash": SHA-256 of the resolved experiment, "state": "pending", "running",
 * "done", "failed" or "interrupted", "directory": name of its directory, from "running" on, "error": when failed}.
 */
#ifndef STORE_SWEEP_DIRECTORY_H
#define STORE_SWEEP_DIRECTORY_H

#include <jansson.h>

#include "base/auto.h"
#include "base/error.h"

struct sweep_directory {
  char *path;
  json_t *manifest; /**< sweep.json as it stands */
  int lock;         /**< the file that is locked */
};

/**
 * Continues the first of PARENT/NAME, PARENT/NAME-2, … that is a sweep whose runs are all part of `plan`, else makes a
 * new directory. plan: a manifest whose runs are all pending, each with a hash of its own; borrowed. Runs on record
 * keep their state; one that was "running" is done when it has results, else interrupted, and one that was done and
 * whose results are gone or damaged is pending. `experiment` becomes experiment.yaml. DOVETAIL_FAILED when another
 * process works there, when a sweep.json is damaged (and is left as it is), or when something cannot be read or
 * written. The caller closes it.
 */
struct sweep_directory *sweep_directory_open(const char *parent, const json_t *plan, const char *experiment,
                                             GError **error);

/** Frees it; others may use the directory then. Takes NULL. */
void sweep_directory_close(struct sweep_directory *sweep);
AUTO_DEFINE(sweep_directory, sweep_directory_close)

/** How many runs there are in a state (NULL: in any). */
guint sweep_directory_count(const struct sweep_directory *sweep, const char *state);

/** The run's state, and the name of its directory, or NULL; until the next change they belong to the sweep. */
const char *sweep_directory_state(const struct sweep_directory *sweep, guint run);
const char *sweep_directory_folder(const struct sweep_directory *sweep, guint run);

/**
 * {KEY: NAME}: the choices by time (plugin/choices.h) that its runs have written down; of those that differ, the first.
 * The caller owns it.
 */
json_t *sweep_directory_choices(const struct sweep_directory *sweep);

/** Records that a run works in the directory `path`. */
gboolean sweep_directory_begin(struct sweep_directory *sweep, guint run, const char *path, GError **error);

/** Records how a run ended: "done", "failed" or "interrupted". message: of its error, or NULL. */
gboolean sweep_directory_end(struct sweep_directory *sweep, guint run, const char *state, const char *message,
                             GError **error);

#endif
