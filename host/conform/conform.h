/* SPDX-License-Identifier: MIT */
/**
 * Whether a plugin keeps the contract of include/dovetail: a table of checks, each run in a process of its own, which
 * alone loads the plugin.
 */
#ifndef CONFORM_CONFORM_H
#define CONFORM_CONFORM_H

#include <dovetail/plugin.h>

#include "base/error.h"

enum conform_status {
  CONFORM_PASSED,
  CONFORM_FAILED,  /**< the contract is broken */
  CONFORM_CRASHED, /**< the check's process died of a signal */
  CONFORM_WARNING, /**< bad manners that break nothing */
  CONFORM_SKIPPED, /**< does not apply, or needs to be told more */
  CONFORM_STATUSES
};

/** "passed", "failed", "crashed", "warning", "skipped". */
const char *conform_status_name(enum conform_status status);

/** What a check applies to: bits. */
enum conform_subject {
  CONFORM_FILE = 1 << 0, /**< the file as a whole */
  CONFORM_BACKBONE = 1 << DVT_KIND_BACKBONE,
  CONFORM_HEAD = 1 << DVT_KIND_HEAD,
  CONFORM_MODULE = CONFORM_BACKBONE | CONFORM_HEAD,
  CONFORM_ALIGNER = 1 << DVT_KIND_ALIGNER,
  CONFORM_DATASET = 1 << DVT_KIND_DATASET,
  CONFORM_PLUGIN = CONFORM_MODULE | CONFORM_ALIGNER | CONFORM_DATASET
};

struct probe;

struct conform_check {
  const char *id; /**< "module.gradient.weights" */
  guint subjects; /**< enum conform_subject */
  void (*run)(struct probe *probe);
  const char *header; /**< "module.h"; "*.h": that of the kind */
  const char *clause; /**< what the contract says, word for word; '*' as in the header */
  const char *title;  /**< what is checked, in one line */
};

/** All checks, in the order in which they run. They belong to the room. */
const struct conform_check *conform_checks(guint *count);

/**
 * Where a check's clause stands, and what it says, for a subject: "dovetail/module.h:142", "input stays as it is". The
 * caller frees both.
 */
void conform_contract(const struct conform_check *check, enum conform_subject subject, char **place, char **clause);

struct conform_options {
  const char *path;  /**< absolute: without a '/' it would be a name that the dynamic loader looks up */
  guint64 seed;      /**< of all random inputs, weights and settings */
  double time_limit; /**< seconds for a check */
  gboolean in_process;
  const char *const *sets;     /**< "PARAMETER=VALUE", NULL-terminated, or NULL */
  const char *split;           /**< where backbones are cut, what heads are told; NULL: some are tried */
  gint64 input[3];             /**< C, H, W of what modules take; 0: some are tried */
  const char *const *includes; /**< globs of ids, NULL-terminated; NULL: all */
  const char *const *excludes;
};

struct conform_result {
  const struct conform_check *check;
  enum conform_subject kind;
  const char *subject; /**< "head linear", or "file"; belongs to the room until `report` returns */
  enum conform_status status;
  const char *sentence; /**< what is wrong, or why it was skipped; "" when it passed; likewise */
};

/**
 * Runs the checks that the patterns choose on every plugin of the file and reports each as it ends. The calling process
 * must have one thread only. FALSE with DOVETAIL_WRONG for patterns that no check has, with DOVETAIL_FAILED when no
 * process can be started; what the plugin does wrong is no error, but a result.
 */
gboolean conform_run(const struct conform_options *options,
                     void (*report)(gpointer data, const struct conform_result *result), gpointer data, GError **error);

#endif
