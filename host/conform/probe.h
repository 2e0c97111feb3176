/* SPDX-License-Identifier: MIT */
/** What a check works with, and how it says what it found. */
#ifndef CONFORM_PROBE_H
#define CONFORM_PROBE_H

#include <dovetail/error.h>

#include "conform/conform.h"
#include "conform/record.h"
#include "conform/watch.h"
#include "plugin/random.h"

struct probe {
  const struct conform_options *options;
  const struct dvt_plugin *file;   /**< the first descriptor; NULL when the file has none */
  const struct dvt_plugin *plugin; /**< that is checked; NULL: the file */
  const char *load_fault;          /**< why the file has no descriptor, or NULL */
  struct watch watch;              /**< the host that the plugin sees */
  int output;                      /**< a file with what was written to stdout and stderr; -1: nobody caught it */
  GMutex mutex;                    /**< of the verdict: plugins are called in several threads */
  enum conform_status status;
  char *sentence;
};

/**
 * The verdict: the first failure, else the first of the others. Returns FALSE. Any thread.
 * Sentences begin in lower case, name what was called, and have no full stop.
 */
gboolean probe_conclude(struct probe *probe, enum conform_status status, const char *format, ...) G_GNUC_PRINTF(3, 4);
#define probe_fail(probe, ...) probe_conclude(probe, CONFORM_FAILED, __VA_ARGS__)
#define probe_warn(probe, ...) probe_conclude(probe, CONFORM_WARNING, __VA_ARGS__)
#define probe_skip(probe, ...) probe_conclude(probe, CONFORM_SKIPPED, __VA_ARGS__)

/** Fails with "WHAT: where they differ" unless two records agree, as record_difference has it. */
gboolean probe_agree(struct probe *probe, const char *what, const struct record *first, const struct record *second,
                     double tolerance);

/** A stream of random numbers of the check's own. */
struct random_stream probe_stream(const struct probe *probe, const char *name);

/** out[0 .. count): numbers in [-scale, scale). */
void probe_numbers(const struct probe *probe, const char *name, double scale, float *out, gsize count);

/**
 * Whether a call that has no reason to fail returned DVT_OK; FALSE with a failed verdict if not. Lack of memory that
 * the watch has caused is no failure, and leaves the verdict alone.
 */
gboolean probe_called(struct probe *probe, const char *call, const struct dvt_error *fault, int status);

/**
 * What the plugin said when it returned `status`; fails where the contract asks for more: a status of enum dvt_status,
 * and a message. The caller frees it.
 */
char *probe_refusal(struct probe *probe, const char *call, const struct dvt_error *fault, int status);

#endif
