/* SPDX-License-Identifier: MIT */
/* ReLU of a sum. Its gradient is the same for both summands, so they share one tensor. */
#include "plan.h"

static void forward(struct plan *plan, const struct nn_node *node) {
  const int a = plan->values[node->inputs[0]], b = plan->values[node->inputs[1]];
  plan->values[node->output] = plan_sum(plan, a, b, plan->relu);
}

static void backward(struct plan *plan, const struct nn_node *node) {
  const int output = plan->values[node->output], gradient = plan->gradients[node->output];
  const dnnl_memory_desc_t data = plan_tensor_md(plan, output);
  dnnl_eltwise_desc_t operation;
  plan_toward(plan, node->output);
  plan_check(plan, dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_training,
                                                  dnnl_eltwise_relu_use_dst_for_bwd, &data, 0.0f, 0.0f));
  const dnnl_primitive_desc_t hint = plan_descriptor(plan, &operation, plan->plain, NULL);
  plan_check(plan, dnnl_eltwise_backward_desc_init(&operation, dnnl_eltwise_relu_use_dst_for_bwd, &data, &data, 0.0f,
                                                   0.0f));
  const int to = plan_tensor(plan, data, gradient, -1);
  PLAN_STEP(plan, plan_descriptor(plan, &operation, plan->plain, hint), {DNNL_ARG_DST, output},
            {DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_DIFF_SRC, to});
  plan_add_gradient(plan, node->inputs[0], to);
  plan_toward(plan, node->inputs[1]);
  plan_add_gradient(plan, node->inputs[1], to);
}

const struct nn_layer nn_layer_add_relu = {.forward = forward, .backward = backward};
