/* SPDX-License-Identifier: MIT */
/** The ways to compute a convolution, and the choice among them. */
#ifndef NN_CONV_H
#define NN_CONV_H

#include "conv_winograd.h"

enum conv_direction { CONV_FORWARD, CONV_BACKWARD_DATA, CONV_BACKWARD_WEIGHTS };

/**
 * Which of the ways that are possible to take; direct is. The host chooses, by measurements of ours where it wants any
 * (conv_choice.c), unless the plan's setup says which.
 */
enum conv_way conv_choose(struct plan *plan, const struct nn_node *node, enum conv_direction direction,
                          const bool possible[CONV_WAYS]);

/** The weights of a convolution, dense in the host's memory. */
int conv_dense_weights(struct plan *plan, const struct nn_node *node);

/**
 * True where the convolution adds no steps of its own in a plan for evaluation: the batch norm that alone reads what it
 * yields does, by conv_forward_folded.
 */
bool conv_waits(const struct plan *plan, const struct nn_node *node);

/** Multiplies a norm into the convolution before it: adds what makes weights and bias anew when values changed. */
typedef struct conv_folded (*conv_fold)(struct plan *plan, const struct nn_node *norm, const struct nn_node *conv,
                                        int addend);

/**
 * Adds the steps of a convolution that waits; `addend` is the tensor that the norm adds, or -1. True: the norm and all
 * that belongs to it are in them, folded by `fold`; else they are those of the convolution alone.
 * In the direct way oneDNN's ReLU makes 0 of what is not a number; ours keeps it.
 */
bool conv_forward_folded(struct plan *plan, const struct nn_node *node, const struct nn_node *norm, int addend,
                         conv_fold fold);

#endif
