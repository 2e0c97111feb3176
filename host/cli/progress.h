/* SPDX-License-Identifier: MIT */
/** Progress of a run on stderr: a line that moves on a terminal, plain lines now and then elsewhere. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "train/session.h"

struct progress {
  gboolean quiet, terminal;
  const char *name;
  guint images_per_step; /**< of all networks together */
  GMutex mutex;
  gboolean line_shown;
  gint64 start, last_line; /**< monotonic microseconds; start: of the training, 0 before */
};

/** quiet: say nothing. */
void progress_init(struct progress *progress, const struct composition *composition, gboolean quiet);

/** Removes the moving line. */
void progress_finish(struct progress *progress);

/** The two callbacks of struct session_config; data is the struct progress. */
void progress_epoch(gpointer data, const struct composition *composition, const struct epoch_report *report);
void progress_step(gpointer data, guint64 step, guint64 steps);

#endif
