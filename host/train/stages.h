/* SPDX-License-Identifier: MIT */
/**
 * The stages of an experiment. A joint one has a single stage. An incremental one has a stage for each network that it
 * trains, in order: there are the networks taken from earlier runs and those trained so far, all frozen, and the
 * stage's own. What a stage trained, the next finds in the run's directory.
 */
#ifndef TRAIN_STAGES_H
#define TRAIN_STAGES_H

#include "train/compose.h"

guint stages_count(const struct experiment *experiment);

/** Whether network t of the experiment is there in a stage (from 0), and whether it is trained there. */
gboolean stage_has(const struct experiment *experiment, guint stage, guint t);
gboolean stage_trains(const struct experiment *experiment, guint stage, guint t);

/**
 * Makes whole->earlier, the stages before the last. Errors as of composition_new; also when an auxiliary head would not
 * be the same in every stage.
 */
gboolean stages_make(struct composition *whole, GError **error);

/** Training steps of the last stage and of those in whole->earlier. */
guint64 stages_steps(const struct composition *whole);

#endif
