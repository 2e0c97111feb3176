/* SPDX-License-Identifier: MIT */
/**
 * A run directory: made for one run, never reused.
 *
 *     experiment.yaml   as given            resolved.yaml   with every default
 *     run.json          dovetail's version, command, machine, threads, plugins with version and SHA-256, choices by
 *                       time, start, end, state, error when failed
 *     metrics.jsonl     one JSON object a line          results.json
 *     components/NAME.safetensors
 */
#ifndef STORE_RUN_H
#define STORE_RUN_H

#include <jansson.h>

#include "base/auto.h"
#include "base/error.h"

/** The member of run.json with the choices by time, {KEY: NAME} (plugin/choices.h). */
#define RUN_CHOICES "choices"

struct run {
  char *path;
  FILE *metrics;
  json_t *info; /**< run.json as it stands */
};

/**
 * Makes PARENT/NAME, or PARENT/NAME-2, -3, … when that is taken, as folder_make does. Writes experiment.yaml,
 * resolved.yaml and run.json (state "running", machine, start and what `info` has).
 * info: an object whose members go into run.json, borrowed. DOVETAIL_FAILED names what could not be made.
 * The caller closes it.
 */
struct run *run_create(const char *parent, const char *name, const char *experiment, const char *resolved, json_t *info,
                       GError **error);

/**
 * Appends a line to metrics.jsonl and flushes it; takes over the reference to `line`. One thread at a time.
 * NULL, which jansson makes of a number that is not finite, is an error, here and in run_results.
 */
gboolean run_metric(struct run *run, json_t *line, GError **error);

/** Sets a member of run.json, on disk too; takes over the reference to `value`. */
gboolean run_record(struct run *run, const char *key, json_t *value, GError **error);

/** A member of a run directory's run.json, which the caller owns; NULL when there is none, or no readable file. */
json_t *run_recorded(const char *directory, const char *key);

/** Writes results.json; `results` is borrowed. */
gboolean run_results(struct run *run, json_t *results, GError **error);

/**
 * Path of the run's components/NAME.safetensors; the folder is made. What a file name cannot hold, a '/' for one, is
 * escaped. The caller frees it.
 */
char *run_component_path(const struct run *run, const char *name);

/** As run_component_path, of a run directory that is only read: no folder is made. */
char *run_component_file(const char *directory, const char *name);

/** Ends it: writes state ("done", "failed", "interrupted"), message (of its error, or NULL) and end into run.json. */
gboolean run_finish(struct run *run, const char *state, const char *message, GError **error);

/** Frees it; what is not finished stays "running" in run.json. Takes NULL. */
void run_close(struct run *run);
AUTO_DEFINE(run, run_close)

/** {"cpu": …, "cores": …, "memory_bytes": …, "kernel": …, "isa": […]}: the machine. The caller owns it. */
json_t *run_machine(void);

/** SHA-256 of a file in hex; NULL with an error. The caller frees it. */
char *run_checksum(const char *path, GError **error);

#endif
