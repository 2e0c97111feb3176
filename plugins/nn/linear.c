/* SPDX-License-Identifier: MIT */
/* Linear layer with bias on [n, C, 1, 1], whose layout it takes as it comes. */
#include "steps.h"

enum { WEIGHT, BIAS };

struct parts {
  dnnl_memory_desc_t source, dense, open, bias, target; /* dense, open: the weights */
};

static struct parts describe(struct plan *plan, const struct nn_node *node) {
  const struct nn_value *values = plan->setup.graph->values;
  const dnnl_dims_t weights = {values[node->output].shape[0], values[node->inputs[0]].shape[0], 1, 1};
  const int source = plan_read(plan, node->inputs[0], plan_describe_border(plan, node->inputs[0]));
  return (struct parts){.source = plan_tensor_md(plan, source),
                        .dense = plan_describe(plan, 4, weights, dnnl_oihw),
                        .open = plan_describe(plan, 4, weights, dnnl_format_tag_any),
                        .bias = plan_describe(plan, 1, weights, dnnl_a),
                        .target = plan_describe_border(plan, node->output)};
}

static void forward(struct plan *plan, const struct nn_node *node) {
  plan->kind = PLAN_CONV_FORWARD;
  const struct parts parts = describe(plan, node);
  const dnnl_prop_kind_t kind = plan->setup.flags & DVT_PASS_BACKWARD ? dnnl_forward_training : dnnl_forward_inference;
  dnnl_inner_product_desc_t operation;
  plan_check(plan, dnnl_inner_product_forward_desc_init(&operation, kind, &parts.source, &parts.open, &parts.bias,
                                                        &parts.target));
  const dnnl_primitive_desc_t descriptor = plan_descriptor(plan, &operation, plan->plain, NULL);
  plan->memos[node->index].forward = descriptor;
  const int dense = plan_host_tensor(plan, parts.dense, plan->setup.values[node->weights[WEIGHT]]);
  const int packed = plan_packed(plan, dense, plan_query(descriptor, dnnl_query_weights_md));
  const int bias = plan_host_tensor(plan, parts.bias, plan->setup.values[node->weights[BIAS]]);
  const int to = plan_write(plan, node->output, parts.target, -1);
  PLAN_STEP(plan, descriptor, {DNNL_ARG_SRC, plan->values[node->inputs[0]]}, {DNNL_ARG_WEIGHTS, packed},
            {DNNL_ARG_BIAS, bias}, {DNNL_ARG_DST, to});
}

static void backward_weights(struct plan *plan, const struct nn_node *node, const struct parts *parts) {
  plan->kind = PLAN_CONV_WEIGHTS;
  const int gradient = plan->gradients[node->output];
  dnnl_inner_product_desc_t operation;
  plan_toward(plan, -1);
  plan_check(plan, dnnl_inner_product_backward_weights_desc_init(&operation, &parts->source, &parts->open, &parts->bias,
                                                                 &parts->target));
  const dnnl_primitive_desc_t descriptor =
      plan_descriptor(plan, &operation, plan->plain, plan->memos[node->index].forward);
  const int weight = plan_tensor(plan, plan_query(descriptor, dnnl_query_diff_weights_md), -1, -1);
  const int bias = plan_tensor(plan, parts->bias, -1, -1);
  PLAN_STEP(plan, descriptor, {DNNL_ARG_SRC, plan->values[node->inputs[0]]}, {DNNL_ARG_DIFF_DST, gradient},
            {DNNL_ARG_DIFF_WEIGHTS, weight}, {DNNL_ARG_DIFF_BIAS, bias});
  plan_add_weight_gradient(plan, node->weights[WEIGHT], parts->dense, weight);
  plan_add_weight_gradient(plan, node->weights[BIAS], parts->bias, bias);
}

static void backward_data(struct plan *plan, const struct nn_node *node, const struct parts *parts) {
  plan->kind = PLAN_CONV_DATA;
  const int gradient = plan->gradients[node->output];
  dnnl_inner_product_desc_t operation;
  plan_toward(plan, node->inputs[0]);
  plan_check(plan,
             dnnl_inner_product_backward_data_desc_init(&operation, &parts->source, &parts->open, &parts->target));
  const dnnl_primitive_desc_t descriptor =
      plan_descriptor(plan, &operation, plan->plain, plan->memos[node->index].forward);
  const int dense = plan_host_tensor(plan, parts->dense, plan->setup.values[node->weights[WEIGHT]]);
  const int packed = plan_packed(plan, dense, plan_query(descriptor, dnnl_query_weights_md));
  const int to = plan_tensor(plan, parts->source, -1, -1);
  PLAN_STEP(plan, descriptor, {DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_DIFF_SRC, to});
  plan_add_gradient(plan, node->inputs[0], to);
}

static void backward(struct plan *plan, const struct nn_node *node) {
  const struct parts parts = describe(plan, node);
  if (plan_trains(plan)) backward_weights(plan, node, &parts);
  backward_data(plan, node, &parts);
}

const struct nn_layer nn_layer_linear = {.forward = forward, .backward = backward};
