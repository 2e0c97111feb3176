/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_COMPONENTS_H
#define TRAIN_COMPONENTS_H

#include "store/run.h"
#include "train/compose.h"

/**
 * Saves every extractor, head and auxiliary head of a run: NETWORK-extractor, NETWORK-head, ALIGNER-NAME. own_accuracy:
 * by network, or NULL when none was measured.
 */
gboolean components_save(const struct composition *composition, const double *own_accuracy, const struct run *run,
                         GError **error);

#endif
