/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

#include <glib.h>

/**
 * Softmax cross-entropy of logits [count, classes]: returns the sum over the examples whose label is not negative,
 * divided by count, and replaces the logits by the gradient of weight · loss. Labels are below classes. *correct (NULL:
 * not wanted) is how many of those examples have their largest logit, the first of equals, at the label.
 */
double loss_cross_entropy(float *logits, guint count, guint classes, const gint32 *labels, double weight,
                          guint *correct);

#endif
