/* SPDX-License-Identifier: MIT */
/* Mean over the map: average pooling with a window as large as the map. */
#include "plan.h"

static void forward(struct plan *plan, const struct nn_node *node) {
  const int64_t *map = plan->setup.graph->values[node->inputs[0]].shape + 1;
  const dnnl_dims_t window = {map[0], map[1]}, stride = {1, 1}, padding = {0, 0};
  const dnnl_prop_kind_t kind =
      plan->setup.flags & DVT_PASS_BACKWARD ? dnnl_forward_training : dnnl_forward_inference;
  const int from = plan_read(plan, node->inputs[0], plan_describe_shape(plan, node->inputs[0], false));
  const dnnl_memory_desc_t source = plan_tensor_md(plan, from);
  const dnnl_memory_desc_t target = plan_describe_shape(plan, node->output, true);
  dnnl_pooling_desc_t operation;
  plan_check(plan, dnnl_pooling_forward_desc_init(&operation, kind, dnnl_pooling_avg_exclude_padding, &source, &target,
                                                  stride, window, padding, padding));
  const dnnl_primitive_desc_t descriptor = plan_descriptor(plan, &operation, plan->plain, NULL);
  plan->memos[node->index].forward = descriptor;
  const int to = plan_write(plan, node->output, plan_query(descriptor, dnnl_query_dst_md), -1);
  PLAN_STEP(plan, descriptor, {DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to});
}

static void backward(struct plan *plan, const struct nn_node *node) {
  const int64_t *map = plan->setup.graph->values[node->inputs[0]].shape + 1;
  const dnnl_dims_t window = {map[0], map[1]}, stride = {1, 1}, padding = {0, 0};
  const int gradient = plan->gradients[node->output];
  const dnnl_memory_desc_t source = plan_describe_value(plan, node->inputs[0]);
  const dnnl_memory_desc_t target = plan_tensor_md(plan, gradient);
  dnnl_pooling_desc_t operation;
  plan_toward(plan, node->inputs[0]);
  plan_check(plan, dnnl_pooling_backward_desc_init(&operation, dnnl_pooling_avg_exclude_padding, &source, &target,
                                                   stride, window, padding, padding));
  const dnnl_primitive_desc_t descriptor =
      plan_descriptor(plan, &operation, plan->plain, plan->memos[node->index].forward);
  const int to = plan_tensor(plan, source, -1, -1);
  PLAN_STEP(plan, descriptor, {DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_DIFF_SRC, to});
  plan_add_gradient(plan, node->inputs[0], to);
}

const struct nn_layer nn_layer_mean = {.forward = forward, .backward = backward};
