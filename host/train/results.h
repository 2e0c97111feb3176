/* SPDX-License-Identifier: MIT */
/** What was measured at the end of a run: means, and results.json. docs/measures.md lists its keys. */
#ifndef TRAIN_RESULTS_H
#define TRAIN_RESULTS_H

#include "train/session.h"

/** Sets the means of what was measured: own, swap, chance, kept and those of similarity. */
void results_take_means(struct session_result *result, const struct composition *composition);

/** Writes results.json into the run directory. */
gboolean results_write(const struct session_result *result, const struct composition *composition, struct run *run,
                       GError **error);

#endif
