/* SPDX-License-Identifier: MIT */
/** Cross-evaluation: every extractor with every head, and with every other, on the test split in evaluation mode. */
#ifndef MEASURE_CROSS_H
#define MEASURE_CROSS_H

#include "data/task.h"
#include "measure/similarity.h"
#include "plugin/module.h"

/** A network to evaluate: borrowed. */
struct cross_network {
  const struct task *task;
  struct module *extractor, *head;
};

struct cross_config {
  guint batch, threads; /**< threads: of all extractors together */
  enum dvt_precision precision;
  const gint *interrupted; /**< ends it with DOVETAIL_INTERRUPTED when it becomes non-zero */
};

/**
 * accuracy[i * count + j]: share of the right answers of extractor i with head j on j's task; NaN where the features do
 * not fit. similarity[i * count + j]: of the features of extractors i and j on the images of j's task; none for i = j,
 * where i does not take these images, and where positions differ. The caller clears them, also after a failure.
 * A feature or logit that is not finite is an error. Extractors run side by side, once over each task, however many
 * heads take their features. Neither batch nor threads change how results are summed.
 */
gboolean cross_measure(const struct cross_network *networks, guint count, const struct cross_config *config,
                       double *accuracy, struct similarity *similarity, GError **error);

#endif
