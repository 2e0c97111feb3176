/* SPDX-License-Identifier: MIT */
/** A pass of a rig with memory of its own for what goes in and out. What fails, fails the test. */
#ifndef TESTS_NN_FLIGHT_H
#define TESTS_NN_FLIGHT_H

#include "rig.h"

struct flight {
  struct rig *rig;
  struct pass *pass;
  guint n;
  float *input, *output, *output_gradient, *input_gradient;
  gsize in, out; /**< floats for n examples */
};

/** Takes the pass. All flights of as many examples get the same input and gradient. */
void flight_begin(struct flight *flight, struct rig *rig, struct pass *pass, guint n);
void flight_end(struct flight *flight);

void flight_forward(struct flight *flight);
void flight_backward(struct flight *flight);

/** Both, with the gradients of the weights from zero on. */
void flight_step(struct flight *flight);

/** Compares all that a step leaves, bit by bit. */
void flight_assert_same(const struct flight *a, const struct flight *b);

#endif
