/* SPDX-License-Identifier: MIT */
/* Mean over the map. It is float32 in every precision, as all that comes after it. */
#include "steps.h"

static void take_mean(const struct plan *plan, const struct plan_step *step) {
  const struct blocked layout = plan_layout(plan, step->tensors[0]);
  const struct elementwise_kernels *kernels = kernels_choose(layout.block)->elementwise;
  kernels->mean(&layout, plan_data(plan, step->tensors[0]), plan_data(plan, step->tensors[1]));
}

static void forward(struct plan *plan, const struct nn_node *node) {
  const int from = plan_read(plan, node->inputs[0], plan_describe_border(plan, node->inputs[0]));
  if (!plan_check_walkable(plan, from)) return;
  const int to = plan_write(plan, node->output, plan_describe_border(plan, node->output), -1);
  PLAN_TASK(plan, take_mean, node, from, to);
}

static void spread(const struct plan *plan, const struct plan_step *step) {
  const struct blocked layout = plan_layout(plan, step->tensors[1]);
  const struct elementwise_kernels *kernels = kernels_choose(layout.block)->elementwise;
  kernels->spread(&layout, plan_data(plan, step->tensors[0]), plan_data(plan, step->tensors[1]));
}

static void backward(struct plan *plan, const struct nn_node *node) {
  const dnnl_memory_desc_t source = plan_describe_value(plan, node->inputs[0]);
  plan_toward(plan, node->inputs[0]);
  const int to = plan_tensor(plan, source, -1, -1);
  PLAN_TASK(plan, spread, node, plan->gradients[node->output], to);
  plan_add_gradient(plan, node->inputs[0], to);
}

const struct nn_layer nn_layer_mean = {.forward = forward, .backward = backward};
