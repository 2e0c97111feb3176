/* SPDX-License-Identifier: MIT */
/** Gradients against central differences. */
#ifndef CONFORM_GRADIENT_H
#define CONFORM_GRADIENT_H

#include "conform/probe.h"

struct gradient {
  const char *name;      /**< of what it is a gradient, for messages */
  float *point;          /**< where; moved, and put back */
  const float *computed; /**< the gradient to be judged, taken at the point */
  gsize count;
  /** The loss at the point. FALSE with a verdict. */
  gboolean (*loss)(gpointer data, double *loss);
  gpointer data;
};

/**
 * Compares slopes of the loss along random directions, for the better of several step sizes, with what the gradient
 * says of them. What is wrong when they differ by more than a right gradient in float32 is likely to, or NULL: also
 * when the loss has failed. The caller frees it.
 */
char *gradient_fault(struct probe *probe, const struct gradient *gradient);

#endif
