/* SPDX-License-Identifier: MIT */
/** Components that are not trained: their values come from the files of an earlier run, or of an earlier stage. */
#ifndef TRAIN_FROZEN_H
#define TRAIN_FROZEN_H

#include "train/compose.h"

/**
 * Reads every component that the experiment takes from a run, and checks that it fits. Errors are at the place of
 * `from`: DOVETAIL_WRONG when there is none or it does not fit, DOVETAIL_FAILED when its file is damaged. Warns of what
 * fits but will not do what its user may think.
 */
gboolean frozen_check(const struct composition *composition, GError **error);

/**
 * Sets the values of every frozen component, after composition_initialise. run: the directory of this run, where its
 * earlier stages left theirs.
 */
gboolean frozen_load(struct composition *composition, const char *run, GError **error);

#endif
