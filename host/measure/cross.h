/* SPDX-License-Identifier: MIT */
/** Cross-evaluation: every extractor with every head, on the test split in evaluation mode. */
#ifndef MEASURE_CROSS_H
#define MEASURE_CROSS_H

#include "data/task.h"
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
 * not fit. A logit that is not finite is an error. An extractor is run once over a task, however many heads take its features. Extractors run side by side.
 */
gboolean cross_measure(const struct cross_network *networks, guint count, const struct cross_config *config,
                       double *accuracy, GError **error);

#endif
