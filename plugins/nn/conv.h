/* SPDX-License-Identifier: MIT */
/** The ways to compute a convolution, and the choice among them. */
#ifndef NN_CONV_H
#define NN_CONV_H

#include "conv_winograd.h"

/** In order of preference where nothing is known of their speed: `direct` is the most precise. */
enum conv_way { CONV_DIRECT, CONV_ONEDNN_WINOGRAD, CONV_WINOGRAD, CONV_WAYS };

enum conv_direction { CONV_FORWARD, CONV_BACKWARD_DATA, CONV_BACKWARD_WEIGHTS };

/**
 * Which of the ways that are possible to take; direct is. The host chooses, by measurements of ours where it wants any
 * (conv_choice.c), unless the plan's setup says which.
 */
enum conv_way conv_choose(struct plan *plan, const struct nn_node *node, enum conv_direction direction,
                          const bool possible[CONV_WAYS]);

/**
 * True where the convolution adds no steps of its own in a plan for evaluation: the batch norm that alone reads what it
 * yields does, by conv_forward_folded.
 */
bool conv_waits(const struct plan *plan, const struct nn_node *node);

/**
 * Adds the steps of a convolution that waits. `folded` is the norm multiplied into it: weights and bias as
 * batch_norm.c makes them, and the tensor that it adds. True: with the norm and all that belongs to it; else without.
 */
bool conv_forward_folded(struct plan *plan, const struct nn_node *node, const struct nn_node *norm,
                         const struct conv_folded *folded);

#endif
