/* SPDX-License-Identifier: MIT */
/*
 * Batch norm with scale and shift; ReLU and the sum of a residual block go with it. By our own loops: oneDNN's would
 * lose precision (kernels/statistics.h) and walk through memory more often (kernels/norm.h).
 */
#include <math.h>

#include "conv.h"

enum { SCALE, SHIFT, RUNNING_MEAN, RUNNING_VARIANCE };

static const float epsilon = 1e-5f, momentum = 0.1f;

static bool of_batch(const struct plan *plan) { return plan->setup.flags & DVT_PASS_BATCH_STATISTICS; }

static float *weight(const struct plan *plan, const struct nn_node *node, int which) {
  return plan->setup.values[node->weights[which]];
}

static void compute_statistics(const struct plan *plan, const struct plan_step *step) {
  enum { X, SCRATCH, MEAN, VARIANCE };
  const struct blocked layout = plan_layout(plan, step->tensors[X]);
  plan->kernels->statistics->compute(&layout, plan_data(plan, step->tensors[X]),
                                     plan_data(plan, step->tensors[SCRATCH]), plan_data(plan, step->tensors[MEAN]),
                                     plan_data(plan, step->tensors[VARIANCE]));
}

static void add_statistics(struct plan *plan, const struct nn_node *node, int from) {
  struct plan_memo *memo = &plan->memos[node->index];
  const struct blocked layout = plan_layout(plan, from);
  memo->mean = plan_floats(plan, layout.padded, true);
  memo->variance = plan_floats(plan, layout.padded, true);
  const int scratch = plan_floats(plan, plan->kernels->statistics->scratch_size(&layout), false);
  PLAN_TASK(plan, compute_statistics, node, from, scratch, memo->mean, memo->variance);
}

/* Where the statistics are that a run uses: of the batch, or the running ones. */
static const float *mean_of(const struct plan *plan, const struct nn_node *node) {
  return of_batch(plan) ? plan_data(plan, plan->memos[node->index].mean) : weight(plan, node, RUNNING_MEAN);
}

static const float *variance_of(const struct plan *plan, const struct nn_node *node) {
  return of_batch(plan) ? plan_data(plan, plan->memos[node->index].variance) : weight(plan, node, RUNNING_VARIANCE);
}

static float deviation(float variance) { return sqrtf(variance + epsilon); }

/* What a norm does to a channel: x · factor + offset. */
static void write_factors(const struct plan *plan, const struct nn_node *node, int64_t channels, float *factors,
                          float *offsets) {
  const float *mean = mean_of(plan, node), *variance = variance_of(plan, node);
  const float *scale = weight(plan, node, SCALE), *shift = weight(plan, node, SHIFT);
  for (int64_t c = 0; c < channels; c++) {
    factors[c] = scale[c] / deviation(variance[c]);
    offsets[c] = shift[c] - mean[c] * factors[c];
  }
}

/* For the kernels, which want numbers past the last channel. */
static void write_padded_factors(const struct plan *plan, const struct nn_node *node, const struct blocked *layout,
                                 float *factors, float *offsets) {
  write_factors(plan, node, layout->channels, factors, offsets);
  for (int64_t c = layout->channels; c < layout->padded; c++) factors[c] = offsets[c] = 0.0f;
}

enum { FORWARD_X, FORWARD_Y, FORWARD_FACTORS, FORWARD_ADDEND };

static void apply(const struct plan *plan, const struct plan_step *step) {
  const struct nn_node *node = step->node;
  const struct blocked layout = plan_layout(plan, step->tensors[FORWARD_X]);
  float *factors = plan_data(plan, step->tensors[FORWARD_FACTORS]), *offsets = factors + layout.padded;
  write_padded_factors(plan, node, &layout, factors, offsets);
  const float *addend = node->inputs[1] < 0 ? NULL : plan_data(plan, step->tensors[FORWARD_ADDEND]);
  plan->kernels->norm->apply(&layout, plan_data(plan, step->tensors[FORWARD_X]), addend, factors, offsets, node->relu,
                             plan_data(plan, step->tensors[FORWARD_Y]));
}

enum { FOLD_FROM, FOLD_WEIGHTS, FOLD_FACTORS, FOLD_BIAS };

/* What the norm makes of the weights of the convolution before it, and of no bias. */
static void fold(const struct plan *plan, const struct plan_step *step) {
  const dnnl_memory_desc_t md = plan_tensor_md(plan, step->tensors[FOLD_FROM]);
  const int64_t channels = md.dims[0], size = md.dims[1] * md.dims[2] * md.dims[3];
  const float *from = plan_data(plan, step->tensors[FOLD_FROM]);
  float *to = plan_data(plan, step->tensors[FOLD_WEIGHTS]), *factors = plan_data(plan, step->tensors[FOLD_FACTORS]);
  write_factors(plan, step->node, channels, factors, plan_data(plan, step->tensors[FOLD_BIAS]));
  for (int64_t c = 0; c < channels; c++)
    for (int64_t k = c * size; k < (c + 1) * size; k++) to[k] = factors[c] * from[k];
}

/* As conv_fold says. */
static struct conv_folded add_fold(struct plan *plan, const struct nn_node *node, const struct nn_node *conv,
                                   int addend) {
  const int dense = conv_dense_weights(plan, conv);
  const dnnl_memory_desc_t md = plan_tensor_md(plan, dense);
  const int64_t channels = plan->setup.graph->values[conv->output].shape[0];
  const struct conv_folded folded = {.weights = plan_kept_tensor(plan, md),
                                     .bias = plan_floats(plan, channels, true),
                                     .addend = addend};
  const int tensors[] = {dense, folded.weights, plan_floats(plan, channels, true), folded.bias};
  plan_refresh(plan, fold, node, tensors, 4);
  return folded;
}

/* True when the convolution before a norm has taken it over. */
static bool fold_into(struct plan *plan, const struct nn_node *conv, const struct nn_node *node) {
  const int value = node->inputs[1];
  const int addend = value < 0 ? -1 : plan_read(plan, value, plan_describe_border(plan, value));
  return conv_forward_folded(plan, conv, node, addend, add_fold);
}

static void forward(struct plan *plan, const struct nn_node *node) {
  const struct nn_node *origin = graph_origin(plan->setup.graph, node->inputs[0]);
  if (origin && conv_waits(plan, origin) && fold_into(plan, origin, node)) return;
  plan->kind = PLAN_NORM;
  const int from = plan_read(plan, node->inputs[0], plan_describe_border(plan, node->inputs[0]));
  const dnnl_memory_desc_t data = plan_tensor_md(plan, from);
  const struct blocked layout = plan_layout(plan, from);
  const int addend = node->inputs[1] < 0 ? -1 : plan_read(plan, node->inputs[1], data);
  const dnnl_memory_desc_t other = addend < 0 ? data : plan_tensor_md(plan, addend);
  const bool alike = dnnl_memory_desc_equal(&data, &other);
  if (!plan_check_walkable(plan, from) || !plan_check(plan, alike ? dnnl_success : dnnl_unimplemented)) return;
  if (of_batch(plan)) add_statistics(plan, node, from);
  const int factors = plan_floats(plan, 2 * layout.padded, false);
  const int to = plan_write(plan, node->output, data, from);
  PLAN_TASK(plan, apply, node, from, to, factors, addend);
}

/* The last two where something is added before the ReLU. */
enum { X, GRADIENT, MEAN, TERMS, SCRATCH, DX, MASKED, Y };

/* By channel, in TERMS: Σ g, Σ g (x - mean), the struct norm_terms made of them, and those of the gate. */
static struct norm_terms terms_of(const struct plan *plan, const struct nn_node *node, const struct blocked *layout,
                                  float *terms) {
  const int64_t padded = layout->padded;
  const float *sum = terms, *product = terms + padded, *scale = weight(plan, node, SCALE);
  const float *variance = variance_of(plan, node);
  float *const parts[] = {terms + 2 * padded, terms + 3 * padded, terms + 4 * padded};
  const double count = (double)(layout->images * layout->positions);
  for (int64_t c = 0; c < layout->channels; c++) {
    const double wide = deviation(variance[c]), factor = scale[c] / wide;
    parts[0][c] = (float)factor;
    parts[1][c] = of_batch(plan) ? (float)(-factor * product[c] / (count * wide * wide)) : 0.0f;
    parts[2][c] = of_batch(plan) ? (float)(-factor * sum[c] / count) : 0.0f;
  }
  for (int part = 0; part < 3; part++)
    for (int64_t c = layout->channels; c < padded; c++) parts[part][c] = 0.0f;
  return (struct norm_terms){.scale = parts[0], .slope = parts[1], .offset = parts[2]};
}

static void add_weight_gradients(const struct plan *plan, const struct nn_node *node, const struct blocked *layout,
                                 const float *terms) {
  float *const *gradients = plan->setup.gradients;
  const float *variance = variance_of(plan, node);
  for (int64_t c = 0; c < layout->channels; c++) {
    gradients[node->weights[SHIFT]][c] += terms[c];
    gradients[node->weights[SCALE]][c] += terms[layout->padded + c] / deviation(variance[c]);
  }
}

/* Padded, as the kernels want it. */
static void copy_mean(const struct plan *plan, const struct nn_node *node, const struct blocked *layout, float *to) {
  const float *mean = mean_of(plan, node);
  for (int64_t c = 0; c < layout->padded; c++) to[c] = c < layout->channels ? mean[c] : 0.0f;
}

/* The output tells where the ReLU was open. Where nothing was added before it the input does, and is read anyway. */
static struct norm_gate gate_of(const struct plan *plan, const struct plan_step *step, const struct blocked *layout,
                                float *terms) {
  float *factors = terms + 5 * layout->padded, *offsets = terms + 6 * layout->padded;
  if (step->node->inputs[1] >= 0) return (struct norm_gate){.y = plan_data(plan, step->tensors[Y])};
  write_padded_factors(plan, step->node, layout, factors, offsets);
  return (struct norm_gate){.scale = factors, .shift = offsets};
}

static void take_back(const struct plan *plan, const struct plan_step *step) {
  const struct nn_node *node = step->node;
  const struct blocked layout = plan_layout(plan, step->tensors[X]);
  const float *x = plan_data(plan, step->tensors[X]), *gradient = plan_data(plan, step->tensors[GRADIENT]);
  float *mean = plan_data(plan, step->tensors[MEAN]), *terms = plan_data(plan, step->tensors[TERMS]);
  float *masked = node->inputs[1] < 0 ? NULL : plan_data(plan, step->tensors[MASKED]);
  const struct norm_gate opens = gate_of(plan, step, &layout, terms), *gate = node->relu ? &opens : NULL;
  copy_mean(plan, node, &layout, mean);
  if (of_batch(plan) || plan_trains(plan))
    plan->kernels->norm->sums(&layout, x, gate, gradient, mean, plan_data(plan, step->tensors[SCRATCH]), terms,
                              terms + layout.padded);
  struct norm_terms made = terms_of(plan, node, &layout, terms);
  made.mean = mean;
  if (plan_trains(plan)) add_weight_gradients(plan, node, &layout, terms);
  plan->kernels->norm->backward(&layout, x, gate, gradient, &made, plan_data(plan, step->tensors[DX]), masked);
}

static void backward(struct plan *plan, const struct nn_node *node) {
  plan->kind = PLAN_NORM;
  const int gradient = plan->gradients[node->output], from = plan->values[node->inputs[0]];
  const dnnl_memory_desc_t data = plan_tensor_md(plan, from);
  const struct blocked layout = plan_layout(plan, from);
  const bool adds = node->inputs[1] >= 0;
  plan_toward(plan, node->output);
  const int mean = plan_floats(plan, layout.padded, false);
  const int terms = plan_floats(plan, 7 * layout.padded, false);
  const int scratch = plan_floats(plan, plan->kernels->norm->scratch_size(&layout), false);
  const int masked = adds ? plan_tensor(plan, data, gradient, -1) : -1;
  const int to = plan_tensor(plan, data, adds ? -1 : gradient, -1);
  const int output = adds ? plan->values[node->output] : -1;
  PLAN_TASK(plan, take_back, node, from, gradient, mean, terms, scratch, to, masked, output);
  plan_add_gradient(plan, node->inputs[0], to);
  if (!adds) return;
  plan_toward(plan, node->inputs[1]);
  plan_add_gradient(plan, node->inputs[1], masked);
}

static void commit(struct plan *plan, const struct nn_node *node) {
  const struct nn_value *value = &plan->setup.graph->values[node->output];
  const struct plan_memo *memo = &plan->memos[node->index];
  const float *mean = plan_data(plan, memo->mean), *variance = plan_data(plan, memo->variance);
  float *running_mean = weight(plan, node, RUNNING_MEAN), *running_variance = weight(plan, node, RUNNING_VARIANCE);
  /* One element has no unbiased variance; its biased one is 0, and stays so. */
  const int64_t count = plan->setup.batch * value->shape[1] * value->shape[2];
  const float unbiased = count > 1 ? (float)count / (float)(count - 1) : 1.0f;
  for (int64_t k = 0; k < value->shape[0]; k++) {
    running_mean[k] = (1.0f - momentum) * running_mean[k] + momentum * mean[k];
    running_variance[k] = (1.0f - momentum) * running_variance[k] + momentum * unbiased * variance[k];
  }
}

const struct nn_layer nn_layer_batch_norm = {.forward = forward, .backward = backward, .commit = commit};
