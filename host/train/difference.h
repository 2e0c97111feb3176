/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_DIFFERENCE_H
#define TRAIN_DIFFERENCE_H

#include "store/component.h"

/** What two components say differently of themselves, as texts. */
struct difference {
  const char *what; /**< "split" */
  char *one, *other;
};

/**
 * Finds the first difference that keeps one component from standing in for the other: kind, plugin, parameters, split,
 * shapes, normalisation of the images, and but for extractors the classes. What only one of them says, be it
 * a single parameter, is none. FALSE: there is none, and nothing to clear.
 */
gboolean difference_find(const struct component_info *one, const struct component_info *other,
                         struct difference *difference);
void difference_clear(struct difference *difference);

#endif
