/* SPDX-License-Identifier: MIT */
/*
 * Convolution without bias. Fixed weights (nn_subsample_pad) take the same way, so they stay in the blocked layout. The
 * direct way settles the layouts, whichever way is taken between them.
 */
#include "conv.h"

struct geometry {
  dnnl_dims_t weights; /* O, I, kernel, kernel */
  dnnl_dims_t strides, padding;
};

static struct geometry geometry_of(const struct plan *plan, const struct nn_node *node) {
  const struct nn_value *values = plan->setup.graph->values;
  const int64_t out = values[node->output].shape[0], in = values[node->inputs[0]].shape[0], pad = node->kernel / 2;
  return (struct geometry){
      .weights = {out, in, node->kernel, node->kernel}, .strides = {node->stride, node->stride}, .padding = {pad, pad}};
}

static const dnnl_alg_kind_t algorithms[] = {
    [CONV_DIRECT] = dnnl_convolution_direct, [CONV_ONEDNN_WINOGRAD] = dnnl_convolution_winograd};

/* What a descriptor is made for. */
struct request {
  const struct nn_node *node;
  enum conv_direction direction;
  dnnl_memory_desc_t source, target; /* of the convolution, or their gradients */
};

static dnnl_status_t describe(struct plan *plan, const struct request *request, enum conv_way way,
                              dnnl_convolution_desc_t *operation) {
  const struct geometry shape = geometry_of(plan, request->node);
  const dnnl_memory_desc_t *source = &request->source, *target = &request->target;
  const dnnl_prop_kind_t kind = plan->setup.flags & DVT_PASS_BACKWARD ? dnnl_forward_training : dnnl_forward_inference;
  const bool sums = request->direction == CONV_BACKWARD_WEIGHTS; /* which are float32 in every precision */
  const dnnl_memory_desc_t weights =
      plan_retyped(plan_describe(plan, 4, shape.weights, dnnl_format_tag_any), sums ? dnnl_f32 : target->data_type);
  if (request->direction == CONV_FORWARD)
    return dnnl_convolution_forward_desc_init(operation, kind, algorithms[way], source, &weights, NULL, target,
                                              shape.strides, shape.padding, shape.padding);
  if (request->direction == CONV_BACKWARD_DATA)
    return dnnl_convolution_backward_data_desc_init(operation, algorithms[way], source, &weights, target, shape.strides,
                                                    shape.padding, shape.padding);
  return dnnl_convolution_backward_weights_desc_init(operation, algorithms[way], source, &weights, NULL, target,
                                                     shape.strides, shape.padding, shape.padding);
}

/* How oneDNN does it in one of its ways; NULL where it cannot, which for the direct way is an error. */
static dnnl_primitive_desc_t descriptor_of(struct plan *plan, const struct request *request, enum conv_way way) {
  dnnl_convolution_desc_t operation;
  const dnnl_status_t status = describe(plan, request, way, &operation);
  const_dnnl_primitive_desc_t hint =
      request->direction == CONV_FORWARD ? NULL : plan->memos[request->node->index].forward;
  if (way != CONV_DIRECT)
    return status == dnnl_success ? plan_try_descriptor(plan, &operation, plan->plain, hint) : NULL;
  return plan_check(plan, status) ? plan_descriptor(plan, &operation, plan->plain, hint) : NULL;
}

/* The direct way. Without arithmetic on bfloat16 it is one on float32, and what it reads and writes is converted. */
static dnnl_primitive_desc_t direct_of(struct plan *plan, struct request request) {
  if (!plan_has_half_arithmetic()) {
    request.source = plan_retyped(request.source, dnnl_f32);
    request.target = plan_retyped(request.target, dnnl_f32);
  }
  return descriptor_of(plan, &request, CONV_DIRECT);
}

/* What a descriptor settled on for a map, as the plan keeps it. */
static dnnl_memory_desc_t settled(const_dnnl_primitive_desc_t descriptor, dnnl_query_t what,
                                  const dnnl_memory_desc_t *wanted) {
  return plan_retyped(plan_query(descriptor, what), wanted->data_type);
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

/* A tensor as a primitive reads it: itself, or converted. */
static int as_read(struct plan *plan, int tensor, const_dnnl_primitive_desc_t descriptor, dnnl_query_t what) {
  return plan_query(descriptor, what).data_type == dnnl_f32 ? plan_as_float(plan, tensor) : tensor;
}

/* Where a primitive writes what goes to `to`: there, or in a float32 tensor that is copied there afterwards. */
static int as_written(struct plan *plan, int to, const_dnnl_primitive_desc_t descriptor, dnnl_query_t what) {
  const dnnl_memory_desc_t md = plan_query(descriptor, what);
  return md.data_type == plan_tensor_md(plan, to).data_type ? to : plan_tensor(plan, md, -1, -1);
}

static void add_copy(struct plan *plan, int from, int to) {
  if (from != to) plan_copy(plan, from, to, plan->plain);
}

int conv_dense_weights(struct plan *plan, const struct nn_node *node) {
  const struct geometry shape = geometry_of(plan, node);
  float *data = node->constant ? node->constant : plan->setup.values[node->weights[0]];
  return plan_host_tensor(plan, plan_describe(plan, 4, shape.weights, dnnl_oihw), data);
}

static int packed_weights(struct plan *plan, int dense, const struct conv *conv) {
  return plan_packed(plan, dense, plan_query(conv->descriptor, dnnl_query_weights_md));
}

/* What a forward starts from. */
struct start {
  struct request request;
  dnnl_primitive_desc_t direct;
  int from;
};

static struct start begin(struct plan *plan, const struct nn_node *node) {
  struct start start = {.request = {node, CONV_FORWARD, plan_describe_value(plan, node->inputs[0]),
                                    plan_describe_open(plan, node->output)}};
  plan->kind = PLAN_CONV_FORWARD;
  start.direct = direct_of(plan, start.request);
  plan->memos[node->index].forward = start.direct;
  start.from = plan_read(plan, node->inputs[0], settled(start.direct, dnnl_query_src_md, &start.request.source));
  return start;
}

static void forward_alone(struct plan *plan, const struct nn_node *node, const struct start *start) {
  const dnnl_memory_desc_t target = settled(start->direct, dnnl_query_dst_md, &start->request.target);
  const int to = plan_write(plan, node->output, target, -1), dense = conv_dense_weights(plan, node);
  const struct conv conv = choose(plan, start->request, start->direct, start->from, to);
  if (conv.way == CONV_WINOGRAD) {
    conv_winograd_forward(plan, start->from, dense, to);
    return;
  }
  const int read = as_read(plan, start->from, conv.descriptor, dnnl_query_src_md);
  const int written = as_written(plan, to, conv.descriptor, dnnl_query_dst_md);
  PLAN_STEP(plan, conv.descriptor, {DNNL_ARG_SRC, read}, {DNNL_ARG_WEIGHTS, packed_weights(plan, dense, &conv)},
            {DNNL_ARG_DST, written});
  add_copy(plan, written, to);
}

static void forward(struct plan *plan, const struct nn_node *node) {
  if (conv_waits(plan, node)) return;
  const struct start start = begin(plan, node);
  forward_alone(plan, node, &start);
}

bool conv_waits(const struct plan *plan, const struct nn_node *node) {
  const struct nn_node *reader = graph_only_reader(plan->setup.graph, node->output);
  const bool evaluates = !(plan->setup.flags & (DVT_PASS_BACKWARD | DVT_PASS_BATCH_STATISTICS));
  return evaluates && node->layer == &nn_layer_conv && !node->constant && reader &&
         reader->layer == &nn_layer_batch_norm && reader->inputs[0] == node->output;
}

/* The direct way with bias, sum and ReLU; NULL where oneDNN cannot. */
static dnnl_primitive_desc_t folded_descriptor(struct plan *plan, const struct request *request, bool relu,
                                               const dnnl_memory_desc_t *addend) {
  const struct geometry shape = geometry_of(plan, request->node);
  const dnnl_memory_desc_t weights =
      plan_retyped(plan_describe(plan, 4, shape.weights, dnnl_format_tag_any), request->target.data_type);
  const dnnl_memory_desc_t bias = plan_describe(plan, 1, shape.weights, dnnl_a);
  dnnl_primitive_attr_t attr = NULL;
  dnnl_post_ops_t after = NULL;
  dnnl_convolution_desc_t operation;
  dnnl_primitive_desc_t descriptor = NULL;
  if (dnnl_primitive_attr_create(&attr) != dnnl_success || dnnl_post_ops_create(&after) != dnnl_success) goto cleanup;
  if (addend && dnnl_post_ops_append_binary(after, dnnl_binary_add, addend) != dnnl_success) goto cleanup;
  if (relu && dnnl_post_ops_append_eltwise(after, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f) != dnnl_success) goto cleanup;
  if (dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user) == dnnl_success &&
      dnnl_primitive_attr_set_post_ops(attr, after) == dnnl_success &&
      dnnl_convolution_forward_desc_init(&operation, dnnl_forward_inference, dnnl_convolution_direct, &request->source,
                                         &weights, &bias, &request->target, shape.strides, shape.padding,
                                         shape.padding) == dnnl_success)
    descriptor = plan_try_descriptor(plan, &operation, attr, NULL);
cleanup:
  dnnl_post_ops_destroy(after);
  dnnl_primitive_attr_destroy(attr);
  return descriptor;
}

/* False where oneDNN cannot; nothing is added then. */
static bool fold_direct(struct plan *plan, const struct start *start, const struct nn_node *norm, int addend,
                        conv_fold fold) {
  const struct nn_node *node = start->request.node;
  const struct request request = {node, CONV_FORWARD, plan_query(start->direct, dnnl_query_src_md),
                                  plan_query(start->direct, dnnl_query_dst_md)};
  const dnnl_memory_desc_t *sum = addend < 0 ? NULL : &request.target;
  const dnnl_primitive_desc_t descriptor = folded_descriptor(plan, &request, norm->relu, sum);
  if (!descriptor) return false;
  const struct conv_folded folded = fold(plan, norm, node, addend);
  const int read = as_read(plan, start->from, descriptor, dnnl_query_src_md);
  const int also = sum ? as_read(plan, addend, descriptor, dnnl_query_dst_md) : -1;
  const int to = plan_write(plan, norm->output, settled(start->direct, dnnl_query_dst_md, &start->request.target), -1);
  const int written = as_written(plan, to, descriptor, dnnl_query_dst_md);
  const int packed = plan_packed(plan, folded.weights, plan_query(descriptor, dnnl_query_weights_md));
  PLAN_STEP(plan, descriptor, {DNNL_ARG_SRC, read}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_BIAS, folded.bias},
            {DNNL_ARG_DST, written}, {DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, also});
  add_copy(plan, written, to);
  return true;
}

/* False where Winograd is not the way; nothing is added then. */
static bool fold_winograd(struct plan *plan, const struct start *start, const struct nn_node *norm, int addend,
                          conv_fold fold) {
  const dnnl_memory_desc_t target = settled(start->direct, dnnl_query_dst_md, &start->request.target);
  const int like = plan_tensor(plan, target, -1, -1); /* for the choice alone: it is not used, and takes no memory */
  if (choose(plan, start->request, start->direct, start->from, like).way != CONV_WINOGRAD) return false;
  const struct conv_folded folded = fold(plan, norm, start->request.node, addend);
  const int heir_of = addend == start->from ? -1 : addend; /* patches of the source are read until the end */
  conv_winograd_folded(plan, norm, &folded, start->from, plan_write(plan, norm->output, target, heir_of));
  return true;
}

bool conv_forward_folded(struct plan *plan, const struct nn_node *node, const struct nn_node *norm, int addend,
                         conv_fold fold) {
  const struct start start = begin(plan, node);
  const dnnl_memory_desc_t target = settled(start.direct, dnnl_query_dst_md, &start.request.target);
  const dnnl_memory_desc_t added = addend < 0 ? target : plan_tensor_md(plan, addend);
  if (dnnl_memory_desc_equal(&added, &target) &&
      (fold_winograd(plan, &start, norm, addend, fold) || fold_direct(plan, &start, norm, addend, fold)))
    return true;
  forward_alone(plan, node, &start);
  return false;
}

static void backward_weights(struct plan *plan, const struct nn_node *node) {
  const int gradient = plan->gradients[node->output], from = plan->values[node->inputs[0]];
  const struct geometry shape = geometry_of(plan, node);
  const dnnl_memory_desc_t dense = plan_describe(plan, 4, shape.weights, dnnl_oihw);
  const struct request request = {node, CONV_BACKWARD_WEIGHTS, plan_tensor_md(plan, from),
                                  plan_tensor_md(plan, gradient)};
  plan->kind = PLAN_CONV_WEIGHTS;
  plan_toward(plan, -1);
  const dnnl_primitive_desc_t direct = direct_of(plan, request);
  const struct conv conv = choose(plan, request, direct, from, gradient);
  if (conv.way == CONV_WINOGRAD) {
    float *sum = plan->setup.gradients[node->weights[0]];
    conv_winograd_backward_weights(plan, from, gradient, plan_host_tensor(plan, dense, sum));
    return;
  }
  const int read = as_read(plan, from, conv.descriptor, dnnl_query_src_md);
  const int also = as_read(plan, gradient, conv.descriptor, dnnl_query_diff_dst_md);
  const int own = plan_tensor(plan, plan_query(conv.descriptor, dnnl_query_diff_weights_md), -1, -1);
  PLAN_STEP(plan, conv.descriptor, {DNNL_ARG_SRC, read}, {DNNL_ARG_DIFF_DST, also}, {DNNL_ARG_DIFF_WEIGHTS, own});
  plan_add_weight_gradient(plan, node->weights[0], dense, own);
}

static void backward_data(struct plan *plan, const struct nn_node *node) {
  const int gradient = plan->gradients[node->output], sum = plan->gradients[node->inputs[0]];
  const struct request request = {node, CONV_BACKWARD_DATA, plan_describe_gradient(plan, node->inputs[0]),
                                  plan_tensor_md(plan, gradient)};
  plan->kind = PLAN_CONV_DATA;
  plan_toward(plan, node->inputs[0]);
  const dnnl_primitive_desc_t direct = direct_of(plan, request);
  const int dense = conv_dense_weights(plan, node);
  const int to = plan_tensor(plan, settled(direct, dnnl_query_diff_src_md, &request.source), -1, -1);
  const struct conv conv = choose(plan, request, direct, to, gradient);
  if (conv.way == CONV_WINOGRAD && sum >= 0) { /* `to` is left unused, and takes no memory */
    conv_winograd_backward_data(plan, gradient, dense, sum, true);
    return;
  }
  if (conv.way == CONV_WINOGRAD) {
    conv_winograd_backward_data(plan, gradient, dense, to, false);
  } else {
    const int read = as_read(plan, gradient, conv.descriptor, dnnl_query_diff_dst_md);
    const int written = as_written(plan, to, conv.descriptor, dnnl_query_diff_src_md);
    PLAN_STEP(plan, conv.descriptor, {DNNL_ARG_DIFF_DST, read}, {DNNL_ARG_WEIGHTS, packed_weights(plan, dense, &conv)},
              {DNNL_ARG_DIFF_SRC, written});
    add_copy(plan, written, to);
  }
  plan_add_gradient(plan, node->inputs[0], to);
}

static void backward(struct plan *plan, const struct nn_node *node) {
  if (!node->constant && plan_trains(plan)) backward_weights(plan, node);
  backward_data(plan, node);
}

const struct nn_layer nn_layer_conv = {.forward = forward, .backward = backward};
