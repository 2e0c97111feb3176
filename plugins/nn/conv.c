/* SPDX-License-Identifier: MIT */
/* Convolution without bias. Fixed weights (nn_subsample_pad) take the same way, so they stay in the blocked layout. */
#include "plan.h"

struct geometry {
  dnnl_dims_t weights; /* O, I, kernel, kernel */
  dnnl_dims_t strides, padding;
};

static struct geometry geometry_of(const struct plan *plan, const struct nn_node *node) {
  const struct nn_value *values = plan->setup.graph->values;
  const int64_t out = values[node->output].shape[0], in = values[node->inputs[0]].shape[0], pad = node->kernel / 2;
  return (struct geometry){.weights = {out, in, node->kernel, node->kernel},
                           .strides = {node->stride, node->stride},
                           .padding = {pad, pad}};
}

static int dense_weights(struct plan *plan, const struct nn_node *node, const struct geometry *shape) {
  float *data = node->constant ? node->constant : plan->setup.values[node->weights[0]];
  return plan_host_tensor(plan, plan_describe(plan, 4, shape->weights, dnnl_oihw), data);
}

static void forward(struct plan *plan, const struct nn_node *node) {
  const struct geometry shape = geometry_of(plan, node);
  const dnnl_prop_kind_t kind =
      plan->setup.flags & DVT_PASS_BACKWARD ? dnnl_forward_training : dnnl_forward_inference;
  const dnnl_memory_desc_t source = plan_describe_value(plan, node->inputs[0]);
  const dnnl_memory_desc_t weights = plan_describe(plan, 4, shape.weights, dnnl_format_tag_any);
  const dnnl_memory_desc_t target = plan_describe_shape(plan, node->output, true);
  dnnl_convolution_desc_t operation;
  plan_check(plan, dnnl_convolution_forward_desc_init(&operation, kind, dnnl_convolution_direct, &source, &weights,
                                                      NULL, &target, shape.strides, shape.padding, shape.padding));
  const dnnl_primitive_desc_t descriptor = plan_descriptor(plan, &operation, plan->plain, NULL);
  plan->memos[node->index].forward = descriptor;
  const int from = plan_read(plan, node->inputs[0], plan_query(descriptor, dnnl_query_src_md));
  const int packed =
      plan_packed(plan, dense_weights(plan, node, &shape), plan_query(descriptor, dnnl_query_weights_md));
  const int to = plan_write(plan, node->output, plan_query(descriptor, dnnl_query_dst_md), -1);
  PLAN_STEP(plan, descriptor, {DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_DST, to});
}

static void backward_weights(struct plan *plan, const struct nn_node *node, const struct geometry *shape) {
  const int gradient = plan->gradients[node->output];
  const dnnl_memory_desc_t source = plan_describe_value(plan, node->inputs[0]);
  const dnnl_memory_desc_t weights = plan_describe(plan, 4, shape->weights, dnnl_format_tag_any);
  const dnnl_memory_desc_t target = plan_tensor_md(plan, gradient);
  dnnl_convolution_desc_t operation;
  plan_toward(plan, -1);
  plan_check(plan, dnnl_convolution_backward_weights_desc_init(&operation, dnnl_convolution_direct, &source, &weights,
                                                               NULL, &target, shape->strides, shape->padding,
                                                               shape->padding));
  const dnnl_primitive_desc_t descriptor =
      plan_descriptor(plan, &operation, plan->plain, plan->memos[node->index].forward);
  const int scratch = plan_tensor(plan, plan_query(descriptor, dnnl_query_diff_weights_md), -1, -1);
  PLAN_STEP(plan, descriptor, {DNNL_ARG_SRC, plan->values[node->inputs[0]]}, {DNNL_ARG_DIFF_DST, gradient},
            {DNNL_ARG_DIFF_WEIGHTS, scratch});
  plan_add_weight_gradient(plan, node->weights[0], plan_describe(plan, 4, shape->weights, dnnl_oihw), scratch);
}

static void backward_data(struct plan *plan, const struct nn_node *node, const struct geometry *shape) {
  const int gradient = plan->gradients[node->output];
  const dnnl_memory_desc_t source = plan_describe_gradient(plan, node->inputs[0]);
  const dnnl_memory_desc_t weights = plan_describe(plan, 4, shape->weights, dnnl_format_tag_any);
  const dnnl_memory_desc_t target = plan_tensor_md(plan, gradient);
  dnnl_convolution_desc_t operation;
  plan_toward(plan, node->inputs[0]);
  plan_check(plan, dnnl_convolution_backward_data_desc_init(&operation, dnnl_convolution_direct, &source, &weights,
                                                            &target, shape->strides, shape->padding, shape->padding));
  const dnnl_primitive_desc_t descriptor =
      plan_descriptor(plan, &operation, plan->plain, plan->memos[node->index].forward);
  const int packed =
      plan_packed(plan, dense_weights(plan, node, shape), plan_query(descriptor, dnnl_query_weights_md));
  const int to = plan_tensor(plan, plan_query(descriptor, dnnl_query_diff_src_md), -1, -1);
  PLAN_STEP(plan, descriptor, {DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_DIFF_SRC, to});
  plan_add_gradient(plan, node->inputs[0], to);
}

static void backward(struct plan *plan, const struct nn_node *node) {
  const struct geometry shape = geometry_of(plan, node);
  if (!node->constant && plan_trains(plan)) backward_weights(plan, node, &shape);
  backward_data(plan, node, &shape);
}

const struct nn_layer nn_layer_conv = {.forward = forward, .backward = backward};
