/* SPDX-License-Identifier: MIT */
/** The ways to compute a convolution, and the choice among them. */
#ifndef NN_CONV_H
#define NN_CONV_H

#include "plan.h"

/** In order of preference where nothing is known of their speed: `direct` is the most precise. */
enum conv_way { CONV_DIRECT, CONV_ONEDNN_WINOGRAD, CONV_WINOGRAD, CONV_WAYS };

enum conv_direction { CONV_FORWARD, CONV_BACKWARD_DATA, CONV_BACKWARD_WEIGHTS };

/**
 * Which of the ways that are possible to take; direct is. The host chooses, by measurements of ours where it wants any
 * (conv_choice.c), unless the plan's setup says which.
 */
enum conv_way conv_choose(struct plan *plan, const struct nn_node *node, enum conv_direction direction,
                          const bool possible[CONV_WAYS]);

#endif
