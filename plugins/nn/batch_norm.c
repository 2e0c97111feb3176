/* SPDX-License-Identifier: MIT */
/*
 * Batch norm with scale and shift, and with ReLU fused into it; vectors of the host are read where they are. The
 * batch's statistics are computed here (statistics.h says why) and handed to oneDNN's forward as if they were running
 * ones; its backward is told that they are the batch's.
 */
#include "plan.h"
#include "statistics.h"

enum { SCALE, SHIFT, RUNNING_MEAN, RUNNING_VARIANCE };

static const float epsilon = 1e-5f, momentum = 0.1f;

static bool of_batch(const struct plan *plan) { return plan->setup.flags & DVT_PASS_BATCH_STATISTICS; }

static unsigned flags_of(const struct nn_node *node, bool given) {
  return dnnl_use_scale | dnnl_use_shift | (node->relu ? dnnl_fuse_norm_relu : 0) | (given ? dnnl_use_global_stats : 0);
}

static dnnl_memory_desc_t vector_of(struct plan *plan, const struct nn_node *node) {
  const dnnl_dims_t dims = {plan->setup.graph->values[node->output].shape[0]};
  return plan_describe(plan, 1, dims, dnnl_a);
}

static int host_vector(struct plan *plan, const struct nn_node *node, int which) {
  return plan_host_tensor(plan, vector_of(plan, node), plan->setup.values[node->weights[which]]);
}

static void compute_statistics(struct plan *plan, const struct nn_node *node) {
  const struct plan_memo *memo = &plan->memos[node->index];
  const dnnl_memory_desc_t md = plan_tensor_md(plan, plan->values[node->inputs[0]]);
  struct statistics statistics;
  statistics_init(&statistics, &md);
  statistics_compute(&statistics, plan_data(plan, plan->values[node->inputs[0]]), plan_data(plan, memo->scratch),
                     plan_data(plan, memo->mean), plan_data(plan, memo->variance));
}

static void add_statistics(struct plan *plan, const struct nn_node *node, int from) {
  struct plan_memo *memo = &plan->memos[node->index];
  const dnnl_memory_desc_t md = plan_tensor_md(plan, from);
  struct statistics statistics = {0};
  if (plan->error.status != DVT_OK) return;
  plan->misfit |= !statistics_init(&statistics, &md);
  const dnnl_dims_t scratch = {statistics_scratch(&statistics)};
  memo->mean = plan_kept_tensor(plan, vector_of(plan, node));
  memo->variance = plan_kept_tensor(plan, vector_of(plan, node));
  memo->scratch = plan_tensor(plan, plan_describe(plan, 1, scratch, dnnl_a), -1, -1);
  const int tensors[] = {from, memo->scratch, memo->mean, memo->variance};
  plan_task(plan, compute_statistics, node, tensors, 4);
}

static void forward(struct plan *plan, const struct nn_node *node) {
  struct plan_memo *memo = &plan->memos[node->index];
  const dnnl_prop_kind_t kind =
      plan->setup.flags & DVT_PASS_BACKWARD ? dnnl_forward_training : dnnl_forward_inference;
  const int from = plan_read(plan, node->inputs[0], plan_describe_shape(plan, node->inputs[0], false));
  const dnnl_memory_desc_t data = plan_tensor_md(plan, from);
  dnnl_batch_normalization_desc_t operation;
  plan_check(plan, dnnl_batch_normalization_forward_desc_init(&operation, kind, &data, epsilon, flags_of(node, true)));
  memo->forward = plan_descriptor(plan, &operation, plan->plain, NULL);
  if (of_batch(plan)) {
    add_statistics(plan, node, from);
  } else {
    memo->mean = host_vector(plan, node, RUNNING_MEAN);
    memo->variance = host_vector(plan, node, RUNNING_VARIANCE);
  }
  const dnnl_memory_desc_t workspace = plan_query(memo->forward, dnnl_query_workspace_md);
  const bool has_workspace = dnnl_memory_desc_get_size(&workspace) > 0;
  memo->workspace = has_workspace ? plan_tensor(plan, workspace, -1, -1) : -1;
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
                                                               flags_of(node, !of_batch(plan))));
  const dnnl_primitive_desc_t descriptor = plan_descriptor(plan, &operation, plan->plain, memo->forward);
  const int to = plan_tensor(plan, data, gradient, -1);
  const int scale = plan_tensor(plan, vector_of(plan, node), -1, -1);
  const int shift = plan_tensor(plan, vector_of(plan, node), -1, -1);
  PLAN_STEP(plan, descriptor, {DNNL_ARG_SRC, plan->values[node->inputs[0]]}, {DNNL_ARG_MEAN, memo->mean},
            {DNNL_ARG_VARIANCE, memo->variance}, {DNNL_ARG_DIFF_DST, gradient},
            {DNNL_ARG_SCALE, host_vector(plan, node, SCALE)}, {DNNL_ARG_SHIFT, host_vector(plan, node, SHIFT)},
            {DNNL_ARG_WORKSPACE, memo->workspace}, {DNNL_ARG_DIFF_SRC, to}, {DNNL_ARG_DIFF_SCALE, scale},
            {DNNL_ARG_DIFF_SHIFT, shift});
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
