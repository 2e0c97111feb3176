/* SPDX-License-Identifier: MIT */
/** The components of a composition, as files: what they are called, and what they say of themselves. */
#ifndef TRAIN_COMPONENTS_H
#define TRAIN_COMPONENTS_H

#include "store/component.h"
#include "store/run.h"
#include "train/compose.h"

/** An extractor, a head or an auxiliary head. Lives as long as the list; what it points to as the composition. */
struct component {
  char *name; /**< of its file: NETWORK-extractor, NETWORK-head, ALIGNER-NAME */
  struct module *module;
  const struct network *network; /**< NULL: an auxiliary head … */
  const struct aligner *aligner; /**< … of this aligner */
  struct component_info info;    /**< what is known before training */
  char *params, *seed;           /**< of info */
};

/** Every component, in order: networks, then aligners. The caller frees the list, its items go with it. */
GPtrArray *components_list(const struct composition *composition);

/** Whether a component is not trained. */
gboolean component_frozen(const struct component *component);

/**
 * Saves every component of a run; a frozen one with what its file said of it. own_accuracy: by network, or NULL when
 * none was measured.
 */
gboolean components_save(const struct composition *composition, const double *own_accuracy, const struct run *run,
                         GError **error);

#endif
