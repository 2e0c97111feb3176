/* SPDX-License-Identifier: MIT */
#include "conv_winograd.h"

static bool init(const struct plan *plan, struct winograd *winograd, int from, int to) {
  const dnnl_memory_desc_t source = plan_tensor_md(plan, from), target = plan_tensor_md(plan, to);
  return winograd_init(winograd, &source, &target, plan->setup.threads);
}

bool conv_winograd_fits(struct plan *plan, const struct nn_node *node, int from, int to) {
  struct winograd winograd;
  return from >= 0 && to >= 0 && node->kernel == 3 && node->stride == 1 && init(plan, &winograd, from, to);
}

/* The tensors of each task: as plan_packed_by gives them, and as the functions below do. */

static void pack(const struct plan *plan, const struct plan_step *step) {
  const dnnl_memory_desc_t weights = plan_tensor_md(plan, step->tensors[0]);
  plan->kernels->winograd->pack(weights.dims, plan_data(plan, step->tensors[0]), plan_data(plan, step->tensors[1]));
}

static void pack_turned(const struct plan *plan, const struct plan_step *step) {
  const dnnl_memory_desc_t weights = plan_tensor_md(plan, step->tensors[0]);
  plan->kernels->winograd->pack_turned(weights.dims, plan_data(plan, step->tensors[0]),
                                       plan_data(plan, step->tensors[1]));
}

enum { FROM, PACKED, TO, SCRATCH, BIAS, ADDEND };

static void run_and(const struct plan *plan, const struct plan_step *step, const struct winograd_after *after) {
  struct winograd winograd;
  init(plan, &winograd, step->tensors[FROM], step->tensors[TO]);
  plan->kernels->winograd->run(&winograd, plan_data(plan, step->tensors[FROM]), plan_data(plan, step->tensors[PACKED]),
                               after, plan_data(plan, step->tensors[TO]), plan_data(plan, step->tensors[SCRATCH]));
}

static void run(const struct plan *plan, const struct plan_step *step) { run_and(plan, step, NULL); }

static void run_add(const struct plan *plan, const struct plan_step *step) {
  const struct winograd_after sum = {.addend = plan_data(plan, step->tensors[TO])};
  run_and(plan, step, &sum);
}

/* With the batch norm that the step's node is. */
static void run_folded(const struct plan *plan, const struct plan_step *step) {
  const struct winograd_after after = {
      .bias = plan_data(plan, step->tensors[BIAS]),
      .addend = step->node->inputs[1] < 0 ? NULL : plan_data(plan, step->tensors[ADDEND]),
      .relu = step->node->relu,
  };
  run_and(plan, step, &after);
}

static void sum(const struct plan *plan, const struct plan_step *step) {
  struct winograd winograd;
  init(plan, &winograd, step->tensors[0], step->tensors[1]);
  plan->kernels->winograd->backward_weights(&winograd, plan_data(plan, step->tensors[0]),
                                            plan_data(plan, step->tensors[1]), plan_data(plan, step->tensors[2]),
                                            plan_data(plan, step->tensors[3]));
}

static int add_scratch(struct plan *plan, int from, int to) {
  struct winograd winograd;
  return init(plan, &winograd, from, to) ? plan_floats(plan, winograd_scratch_size(&winograd), false) : -1;
}

static void add_run(struct plan *plan, plan_work packing, plan_work running, int from, int dense, int to) {
  const dnnl_memory_desc_t weights = plan_tensor_md(plan, dense);
  const int packed = plan_packed_by(plan, packing, dense, winograd_packed_size(weights.dims));
  PLAN_TASK(plan, running, NULL, from, packed, to, add_scratch(plan, from, to));
}

void conv_winograd_folded(struct plan *plan, const struct nn_node *norm, const struct conv_folded *folded, int from,
                          int to) {
  const dnnl_memory_desc_t weights = plan_tensor_md(plan, folded->weights);
  const int packed = plan_packed_by(plan, pack, folded->weights, winograd_packed_size(weights.dims));
  PLAN_TASK(plan, run_folded, norm, from, packed, to, add_scratch(plan, from, to), folded->bias, folded->addend);
}

void conv_winograd_forward(struct plan *plan, int from, int dense, int to) {
  add_run(plan, pack, run, from, dense, to);
}

void conv_winograd_backward_data(struct plan *plan, int gradient, int dense, int to, bool add) {
  add_run(plan, pack_turned, add ? run_add : run, gradient, dense, to);
}

void conv_winograd_backward_weights(struct plan *plan, int from, int gradient, int dense) {
  PLAN_TASK(plan, sum, NULL, from, gradient, dense, add_scratch(plan, from, gradient));
}
