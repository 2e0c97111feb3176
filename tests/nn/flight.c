/* SPDX-License-Identifier: MIT */
#include "flight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"

void flight_begin(struct flight *flight, struct rig *rig, struct pass *pass, guint n) {
  flight->rig = rig;
  flight->pass = pass;
  flight->n = n;
  flight->in = n * rig_input_size(rig);
  flight->out = n * rig_output_size(rig);
  flight->input = rig_noise(flight->in, 1, "input");
  flight->output_gradient = rig_noise(flight->out, 2, "gradient");
  flight->output = memory_floats(flight->out, NULL);
  flight->input_gradient = memory_floats(flight->in, NULL);
}

void flight_end(struct flight *flight) {
  pass_free(flight->pass);
  free(flight->input);
  free(flight->output);
  free(flight->output_gradient);
  free(flight->input_gradient);
}

void flight_forward(struct flight *flight) {
  rig_forward(flight->rig, flight->pass, flight->n, flight->input, flight->output);
}

void flight_backward(struct flight *flight) {
  rig_backward(flight->rig, flight->pass, flight->n, flight->output_gradient, flight->input_gradient);
}

void flight_step(struct flight *flight) {
  pass_clear(flight->pass);
  flight_forward(flight);
  flight_backward(flight);
}

void flight_assert_same(const struct flight *a, const struct flight *b) {
  assert_memory_equal(a->output, b->output, a->out * sizeof(float));
  assert_memory_equal(a->input_gradient, b->input_gradient, a->in * sizeof(float));
  assert_memory_equal(a->pass->gradients, b->pass->gradients, a->rig->module->parameter_size * sizeof(float));
}
