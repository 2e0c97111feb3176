/* SPDX-License-Identifier: MIT */
/** Aligners of an experiment, and the services that the host gives them. */
#ifndef TRAIN_ALIGNER_H
#define TRAIN_ALIGNER_H

#include "train/compose.h"

/** Makes and inits the aligner of a spec in place. Errors: DOVETAIL_WRONG at its line. */
gboolean aligner_init(struct aligner *aligner, struct composition *composition, const struct aligner_spec *spec,
                      GError **error);

/** Destroys it, its auxiliary heads and their passes. */
void aligner_finish(struct aligner *aligner);

/**
 * Whether network t's features concern its losses: always those of a trained network; of a frozen one where auxiliary
 * heads that are trained may learn from them.
 */
gboolean aligner_heeds(const struct aligner *aligner, guint t);

/**
 * Makes the passes of its auxiliary heads, one for each network that it heeds. Those of frozen heads use running
 * statistics and have no gradients of weights.
 */
gboolean aligner_start(struct aligner *aligner, guint threads, enum dvt_precision precision, GError **error);

/** Frees what aligner_start made, also after it failed; a second training may start then. */
void aligner_stop(struct aligner *aligner);

/** Whether any aligner of the experiment needs the same images in every network. */
gboolean aligners_paired(const struct composition *composition);

#endif
