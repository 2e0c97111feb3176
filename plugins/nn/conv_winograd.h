/* SPDX-License-Identifier: MIT */
/** Convolutions of a plan by our own Winograd. Tensors are numbers, as in plan.h. */
#ifndef NN_CONV_WINOGRAD_H
#define NN_CONV_WINOGRAD_H

#include "steps.h"

/** A convolution with the batch norm after it folded in. */
struct conv_folded {
  int weights, bias; /**< both times the norm's scale, and its shift; dense */
  int addend;        /**< what the norm adds, or -1 */
};

/** Whether a convolution can be done so, between tensors in the layouts of these two. */
bool conv_winograd_fits(struct plan *plan, const struct nn_node *node, int from, int to);

/**
 * Each adds its steps. `dense` are the weights in the host's memory, or the gradient of them, which is added to; with
 * `add` the gradient of the data is added to what is in `to`.
 */
void conv_winograd_forward(struct plan *plan, int from, int dense, int to);
void conv_winograd_folded(struct plan *plan, const struct nn_node *norm, const struct conv_folded *folded, int from,
                          int to);
void conv_winograd_backward_data(struct plan *plan, int gradient, int dense, int to, bool add);
void conv_winograd_backward_weights(struct plan *plan, int from, int gradient, int dense);

#endif
