/* SPDX-License-Identifier: MIT */
#ifndef BASE_LARGEST_H
#define BASE_LARGEST_H

#include <glib.h>

/** The class that logits [classes] speak for: the index of the largest, the first of equals. */
static inline guint largest_logit(const float *logits, guint classes) {
  guint best = 0;
  for (guint c = 1; c < classes; c++)
    if (logits[c] > logits[best]) best = c;
  return best;
}

#endif
