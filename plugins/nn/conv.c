/* SPDX-License-Identifier: MIT */
/*
 * Convolution without bias. Fixed weights (nn_subsample_pad) take the same way, so they stay in the blocked layout. The
 * direct way settles the layouts, whichever way is taken between them.
 */
#include "conv.h"

#include "conv_winograd.h"

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

static const dnnl_alg_kind_t algorithms[] = {
    [CONV_DIRECT] = dnnl_convolution_direct, [CONV_ONEDNN_WINOGRAD] = dnnl_convolution_winograd};

/* What a descriptor is made for. */
struct request {
  const struct nn_node *node;
  enum conv_direction direction;
  dnnl_memory_desc_t source, target; /* of the convolution, or their gradients */
};

/* How oneDNN does it in one of its ways; NULL where it cannot. */
static dnnl_primitive_desc_t descriptor_of(struct plan *plan, const struct request *request, enum conv_way way) {
  const struct geometry shape = geometry_of(plan, request->node);
  const dnnl_memory_desc_t *source = &request->source, *target = &request->target;
  const dnnl_memory_desc_t weights = plan_describe(plan, 4, shape.weights, dnnl_format_tag_any);
  const dnnl_alg_kind_t algorithm = algorithms[way];
  const dnnl_prop_kind_t kind = plan->setup.flags & DVT_PASS_BACKWARD ? dnnl_forward_training : dnnl_forward_inference;
  dnnl_convolution_desc_t operation;
  dnnl_status_t status;
  if (request->direction == CONV_FORWARD)
    status = dnnl_convolution_forward_desc_init(&operation, kind, algorithm, source, &weights, NULL, target,
                                                shape.strides, shape.padding, shape.padding);
  else if (request->direction == CONV_BACKWARD_DATA)
    status = dnnl_convolution_backward_data_desc_init(&operation, algorithm, source, &weights, target, shape.strides,
                                                      shape.padding, shape.padding);
  else
    status = dnnl_convolution_backward_weights_desc_init(&operation, algorithm, source, &weights, NULL, target,
                                                         shape.strides, shape.padding, shape.padding);
  const_dnnl_primitive_desc_t hint =
      request->direction == CONV_FORWARD ? NULL : plan->memos[request->node->index].forward;
  if (way != CONV_DIRECT) return status == dnnl_success ? plan_try_descriptor(plan, &operation, hint) : NULL;
  plan_check(plan, status);
  return plan_descriptor(plan, &operation, plan->plain, hint);
}

/* A convolution between two tensors, in the way that was chosen. */
struct conv {
  enum conv_way way;
  dnnl_primitive_desc_t descriptor; /* unless it is CONV_WINOGRAD */
};

static struct conv choose(struct plan *plan, struct request request, dnnl_primitive_desc_t direct, int source,
                          int target) {
  request.source = plan_tensor_md(plan, source);
  request.target = plan_tensor_md(plan, target);
  const dnnl_primitive_desc_t other =
      request.node->kernel == 3 ? descriptor_of(plan, &request, CONV_ONEDNN_WINOGRAD) : NULL;
  const bool possible[CONV_WAYS] = {[CONV_DIRECT] = true,
                                    [CONV_ONEDNN_WINOGRAD] = other != NULL,
                                    [CONV_WINOGRAD] = conv_winograd_fits(plan, request.node, source, target)};
  const enum conv_way way = conv_choose(plan, request.node, request.direction, possible);
  return (struct conv){way, way == CONV_ONEDNN_WINOGRAD ? other : direct};
}

static int dense_weights(struct plan *plan, const struct nn_node *node) {
  const struct geometry shape = geometry_of(plan, node);
  float *data = node->constant ? node->constant : plan->setup.values[node->weights[0]];
  return plan_host_tensor(plan, plan_describe(plan, 4, shape.weights, dnnl_oihw), data);
}

static int packed_weights(struct plan *plan, int dense, const struct conv *conv) {
  return plan_packed(plan, dense, plan_query(conv->descriptor, dnnl_query_weights_md));
}

static void forward(struct plan *plan, const struct nn_node *node) {
  const struct request request = {node, CONV_FORWARD, plan_describe_value(plan, node->inputs[0]),
                                  plan_describe_shape(plan, node->output, true)};
  const dnnl_primitive_desc_t direct = descriptor_of(plan, &request, CONV_DIRECT);
  plan->kind = PLAN_CONV_FORWARD;
  plan->memos[node->index].forward = direct;
  const int from = plan_read(plan, node->inputs[0], plan_query(direct, dnnl_query_src_md));
  const int to = plan_write(plan, node->output, plan_query(direct, dnnl_query_dst_md), -1);
  const int dense = dense_weights(plan, node);
  const struct conv conv = choose(plan, request, direct, from, to);
  if (conv.way == CONV_WINOGRAD)
    conv_winograd_forward(plan, from, dense, to);
  else
    PLAN_STEP(plan, conv.descriptor, {DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, packed_weights(plan, dense, &conv)},
              {DNNL_ARG_DST, to});
}

static void backward_weights(struct plan *plan, const struct nn_node *node) {
  const int gradient = plan->gradients[node->output], from = plan->values[node->inputs[0]];
  const struct geometry shape = geometry_of(plan, node);
  const dnnl_memory_desc_t dense = plan_describe(plan, 4, shape.weights, dnnl_oihw);
  const struct request request = {node, CONV_BACKWARD_WEIGHTS, plan_tensor_md(plan, from),
                                  plan_tensor_md(plan, gradient)};
  plan->kind = PLAN_CONV_WEIGHTS;
  plan_toward(plan, -1);
  const dnnl_primitive_desc_t direct = descriptor_of(plan, &request, CONV_DIRECT);
  const struct conv conv = choose(plan, request, direct, from, gradient);
  if (conv.way == CONV_WINOGRAD) {
    float *sum = plan->setup.gradients[node->weights[0]];
    conv_winograd_backward_weights(plan, from, gradient, plan_host_tensor(plan, dense, sum));
    return;
  }
  const int own = plan_tensor(plan, plan_query(conv.descriptor, dnnl_query_diff_weights_md), -1, -1);
  PLAN_STEP(plan, conv.descriptor, {DNNL_ARG_SRC, from}, {DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_DIFF_WEIGHTS, own});
  plan_add_weight_gradient(plan, node->weights[0], dense, own);
}

static void backward_data(struct plan *plan, const struct nn_node *node) {
  const int gradient = plan->gradients[node->output], sum = plan->gradients[node->inputs[0]];
  const struct request request = {node, CONV_BACKWARD_DATA, plan_describe_gradient(plan, node->inputs[0]),
                                  plan_tensor_md(plan, gradient)};
  plan->kind = PLAN_CONV_DATA;
  plan_toward(plan, node->inputs[0]);
  const dnnl_primitive_desc_t direct = descriptor_of(plan, &request, CONV_DIRECT);
  const int dense = dense_weights(plan, node);
  const int to = plan_tensor(plan, plan_query(direct, dnnl_query_diff_src_md), -1, -1);
  const struct conv conv = choose(plan, request, direct, to, gradient);
  if (conv.way == CONV_WINOGRAD && sum >= 0) { /* `to` is left unused, and takes no memory */
    conv_winograd_backward_data(plan, gradient, dense, sum, true);
    return;
  }
  if (conv.way == CONV_WINOGRAD)
    conv_winograd_backward_data(plan, gradient, dense, to, false);
  else
    PLAN_STEP(plan, conv.descriptor, {DNNL_ARG_DIFF_DST, gradient},
              {DNNL_ARG_WEIGHTS, packed_weights(plan, dense, &conv)}, {DNNL_ARG_DIFF_SRC, to});
  plan_add_gradient(plan, node->inputs[0], to);
}

static void backward(struct plan *plan, const struct nn_node *node) {
  if (!node->constant && plan_trains(plan)) backward_weights(plan, node);
  backward_data(plan, node);
}

const struct nn_layer nn_layer_conv = {.forward = forward, .backward = backward};
