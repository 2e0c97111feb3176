/* SPDX-License-Identifier: MIT */
/* Batch norm with scale and shift, and with ReLU fused into it; all vectors are read where the host has them. */
#include "plan.h"

enum { SCALE, SHIFT, RUNNING_MEAN, RUNNING_VARIANCE };

static const float epsilon = 1e-5f, momentum = 0.1f;

static unsigned flags_of(const struct plan *plan, const struct nn_node *node) {
  unsigned flags = dnnl_use_scale | dnnl_use_shift;
  if (node->relu) flags |= dnnl_fuse_norm_relu;
  if (!(plan->setup.flags & DVT_PASS_BATCH_STATISTICS)) flags |= dnnl_use_global_stats;
  return flags;
}

static dnnl_memory_desc_t vector_of(struct plan *plan, const struct nn_node *node) {
  const dnnl_dims_t dims = {plan->setup.graph->values[node->output].shape[0]};
  return plan_describe(plan, 1, dims, dnnl_a);
}

static int host_vector(struct plan *plan, const struct nn_node *node, int which) {
  return plan_host_tensor(plan, vector_of(plan, node), plan->setup.values[node->weights[which]]);
}

static void make_statistics(struct plan *plan, const struct nn_node *node, struct plan_memo *memo) {
  if (plan->setup.flags & DVT_PASS_BATCH_STATISTICS) {
    memo->mean = plan_kept_tensor(plan, vector_of(plan, node));
    memo->variance = plan_kept_tensor(plan, vector_of(plan, node));
  } else {
    memo->mean = host_vector(plan, node, RUNNING_MEAN);
    memo->variance = host_vector(plan, node, RUNNING_VARIANCE);
  }
}

static void forward(struct plan *plan, const struct nn_node *node) {
  struct plan_memo *memo = &plan->memos[node->index];
  const dnnl_prop_kind_t kind = plan->setup.flags ? dnnl_forward_training : dnnl_forward_inference;
  const dnnl_memory_desc_t data = plan_describe_value(plan, node->inputs[0]);
  dnnl_batch_normalization_desc_t operation;
  plan_check(plan, dnnl_batch_normalization_forward_desc_init(&operation, kind, &data, epsilon,
                                                              flags_of(plan, node)));
  memo->forward = plan_descriptor(plan, &operation, plan->plain, NULL);
  make_statistics(plan, node, memo);
  const dnnl_memory_desc_t workspace = plan_query(memo->forward, dnnl_query_workspace_md);
  const bool has_workspace = dnnl_memory_desc_get_size(&workspace) > 0;
  memo->workspace = has_workspace ? plan_tensor(plan, workspace, -1, -1) : -1;
  const int from = plan_read(plan, node->inputs[0], data);
  const int to = plan_write(plan, node->output, data, from);
  PLAN_STEP(plan, memo->forward, {DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}, {DNNL_ARG_MEAN, memo->mean},
            {DNNL_ARG_VARIANCE, memo->variance}, {DNNL_ARG_SCALE, host_vector(plan, node, SCALE)},
            {DNNL_ARG_SHIFT, host_vector(plan, node, SHIFT)}, {DNNL_ARG_WORKSPACE, memo->workspace});
}

static void backward(struct plan *plan, const struct nn_node *node) {
  const struct plan_memo *memo = &plan->memos[node->index];
  const int gradient = plan->gradients[node->output];
  const dnnl_memory_desc_t data = plan_describe_value(plan, node->inputs[0]);
  dnnl_batch_normalization_desc_t operation;
  plan_toward(plan, node->output);
  plan_check(plan, dnnl_batch_normalization_backward_desc_init(&operation, dnnl_backward, &data, &data, epsilon,
                                                               flags_of(plan, node)));
  const dnnl_primitive_desc_t descriptor = plan_descriptor(plan, &operation, plan->plain, memo->forward);
  const int to = plan_tensor(plan, data, gradient, -1);
  const int scale = plan_tensor(plan, vector_of(plan, node), -1, -1);
  const int shift = plan_tensor(plan, vector_of(plan, node), -1, -1);
  PLAN_STEP(plan, descriptor, {DNNL_ARG_SRC, plan->values[node->inputs[0]]}, {DNNL_ARG_MEAN, memo->mean},
            {DNNL_ARG_VARIANCE, memo->variance}, {DNNL_ARG_DIFF_DST, gradient},
            {DNNL_ARG_SCALE, host_vector(plan, node, SCALE)}, {DNNL_ARG_SHIFT, host_vector(plan, node, SHIFT)},
            {DNNL_ARG_WORKSPACE, memo->workspace}, {DNNL_ARG_DIFF_SRC, to}, {DNNL_ARG_DIFF_SCALE, scale}, {DNNL_ARG_DIFF_SHIFT, shift});
  if (plan_trains(plan)) {
    plan_add_weight_gradient(plan, node->weights[SCALE], vector_of(plan, node), scale);
    plan_add_weight_gradient(plan, node->weights[SHIFT], vector_of(plan, node), shift);
  }
  plan_add_gradient(plan, node->inputs[0], to);
}

static void commit(struct plan *plan, const struct nn_node *node) {
  const struct nn_value *value = &plan->setup.graph->values[node->output];
  const struct plan_memo *memo = &plan->memos[node->index];
  const float *mean = plan_data(plan, memo->mean), *variance = plan_data(plan, memo->variance);
  float *running_mean = plan->setup.values[node->weights[RUNNING_MEAN]];
  float *running_variance = plan->setup.values[node->weights[RUNNING_VARIANCE]];
  /* One element has no unbiased variance; its biased one is 0, and stays so. */
  const int64_t count = plan->setup.batch * value->shape[1] * value->shape[2];
  const float unbiased = count > 1 ? (float)count / (float)(count - 1) : 1.0f;
  for (int64_t k = 0; k < value->shape[0]; k++) {
    running_mean[k] = (1.0f - momentum) * running_mean[k] + momentum * mean[k];
    running_variance[k] = (1.0f - momentum) * running_variance[k] + momentum * unbiased * variance[k];
  }
}

const struct nn_layer nn_layer_batch_norm = {.forward = forward, .backward = backward, .commit = commit};
