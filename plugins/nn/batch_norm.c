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

static int64_t parts_of(const struct plan *plan, const struct blocked *layout) {
  return blocked_parts(layout, plan->setup.threads);
}

/* So many doubles for each part. */
static int part_doubles(struct plan *plan, const struct blocked *layout, int64_t numbers) {
  const int64_t count = parts_of(plan, layout) * numbers;
  return plan_floats(plan, count * (int64_t)(sizeof(double) / sizeof(float)), false);
}

enum { TAKEN_FROM, MOMENTS, TAKEN_MEAN, TAKEN_VARIANCE };

static void take_moments(const struct plan *plan, const struct plan_step *step, const struct plan_part *part) {
  const struct blocked layout = plan_layout(plan, step->tensors[TAKEN_FROM]);
  const struct statistics_kernels *kernels = kernels_choose(layout.block)->statistics;
  struct moments *moments = (void *)plan_data(plan, step->tensors[MOMENTS]);
  kernels->take(&layout, part->images, plan_data(plan, step->tensors[TAKEN_FROM]),
                moments + part->number * layout.padded);
}

static void merge_moments(const struct plan *plan, const struct plan_step *step) {
  const struct blocked layout = plan_layout(plan, step->tensors[TAKEN_FROM]);
  const struct statistics_kernels *kernels = kernels_choose(layout.block)->statistics;
  kernels->merge(&layout, step->parts, (const void *)plan_data(plan, step->tensors[MOMENTS]),
                 plan_data(plan, step->tensors[TAKEN_MEAN]), plan_data(plan, step->tensors[TAKEN_VARIANCE]));
}

static const struct plan_parted taking = {.run = take_moments, .finish = merge_moments};

static void add_statistics(struct plan *plan, const struct nn_node *node, int from) {
  struct plan_memo *memo = &plan->memos[node->index];
  const struct blocked layout = plan_layout(plan, from);
  memo->mean = plan_floats(plan, layout.padded, true);
  memo->variance = plan_floats(plan, layout.padded, true);
  const int moments = part_doubles(plan, &layout, layout.padded * (int64_t)(sizeof(struct moments) / sizeof(double)));
  PLAN_PARTED(plan, &taking, parts_of(plan, &layout), node, from, moments, memo->mean, memo->variance);
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

static void prepare(const struct plan *plan, const struct plan_step *step) {
  const struct blocked layout = plan_layout(plan, step->tensors[FORWARD_X]);
  float *factors = plan_data(plan, step->tensors[FORWARD_FACTORS]);
  write_padded_factors(plan, step->node, &layout, factors, factors + layout.padded);
}

static void apply(const struct plan *plan, const struct plan_step *step, const struct plan_part *part) {
  const struct nn_node *node = step->node;
  const struct blocked layout = plan_layout(plan, step->tensors[FORWARD_X]);
  const struct norm_kernels *kernels = kernels_choose(layout.block)->norm;
  const float *factors = plan_data(plan, step->tensors[FORWARD_FACTORS]), *offsets = factors + layout.padded;
  const float *addend = node->inputs[1] < 0 ? NULL : plan_data(plan, step->tensors[FORWARD_ADDEND]);
  kernels->apply(&layout, part->images, plan_data(plan, step->tensors[FORWARD_X]), addend, factors, offsets, node->relu,
                 plan_data(plan, step->tensors[FORWARD_Y]));
}

static const struct plan_parted applying = {.begin = prepare, .run = apply, .waits = true};

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
  const struct conv_folded folded = {
      .weights = plan_kept_tensor(plan, md), .bias = plan_floats(plan, channels, true), .addend = addend};
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
  PLAN_PARTED(plan, &applying, parts_of(plan, &layout), node, from, to, factors, addend);
}

/* Of both steps of the way back, the fourth each its own. Y and MASKED are there only where something was added. */
enum { X, GRADIENT, TABLE, PARTS, DX = PARTS, Y, MASKED };

/* What the way back needs, in TABLE: rows of padded numbers by channel. */
enum row { MEAN, SUM, PRODUCT, SCALED, SLOPE, OFFSET, GATE_SCALE, GATE_SHIFT, ROWS };

struct table {
  float *row[ROWS];
};

static struct table table_of(const struct plan *plan, const struct plan_step *step, const struct blocked *layout) {
  struct table table;
  float *start = plan_data(plan, step->tensors[TABLE]);
  for (int row = 0; row < ROWS; row++) table.row[row] = start + row * layout->padded;
  return table;
}

static void fill_table(const struct plan *plan, const struct plan_step *step) {
  const struct blocked layout = plan_layout(plan, step->tensors[X]);
  const struct table table = table_of(plan, step, &layout);
  const float *mean = mean_of(plan, step->node);
  for (int64_t c = 0; c < layout.padded; c++) table.row[MEAN][c] = c < layout.channels ? mean[c] : 0.0f;
  write_padded_factors(plan, step->node, &layout, table.row[GATE_SCALE], table.row[GATE_SHIFT]);
}

/*
 * Where the ReLU was open; NULL: there is none. The output tells, but where nothing was added before it the input does,
 * which is read anyway.
 */
static const struct norm_gate *gate_of(const struct plan *plan, const struct plan_step *step, const struct table *table,
                                       struct norm_gate *gate) {
  if (!step->node->relu) return NULL;
  *gate = (struct norm_gate){.scale = table->row[GATE_SCALE], .shift = table->row[GATE_SHIFT]};
  if (step->node->inputs[1] >= 0) gate->y = plan_data(plan, step->tensors[Y]);
  return gate;
}

static void sum_part(const struct plan *plan, const struct plan_step *step, const struct plan_part *part) {
  const struct blocked layout = plan_layout(plan, step->tensors[X]);
  const struct norm_kernels *kernels = kernels_choose(layout.block)->norm;
  const struct table table = table_of(plan, step, &layout);
  double *sums = (void *)plan_data(plan, step->tensors[PARTS]);
  struct norm_gate gate;
  kernels->sums(&layout, part->images, plan_data(plan, step->tensors[X]), gate_of(plan, step, &table, &gate),
                plan_data(plan, step->tensors[GRADIENT]), table.row[MEAN], sums + part->number * 2 * layout.padded);
}

static void add_weight_gradients(const struct plan *plan, const struct nn_node *node, const struct table *table,
                                 int64_t channels) {
  float *const *gradients = plan->setup.gradients;
  const float *variance = variance_of(plan, node);
  for (int64_t c = 0; c < channels; c++) {
    gradients[node->weights[SHIFT]][c] += table->row[SUM][c];
    gradients[node->weights[SCALE]][c] += table->row[PRODUCT][c] / deviation(variance[c]);
  }
}

static void finish_sums(const struct plan *plan, const struct plan_step *step) {
  const struct blocked layout = plan_layout(plan, step->tensors[X]);
  const struct table table = table_of(plan, step, &layout);
  const double *sums = (void *)plan_data(plan, step->tensors[PARTS]);
  const int64_t padded = layout.padded;
  for (int64_t c = 0; c < padded; c++) {
    double total[2] = {0};
    for (int64_t k = 0; k < step->parts; k++)
      for (int which = 0; which < 2; which++) total[which] += sums[(2 * k + which) * padded + c];
    table.row[SUM][c] = (float)total[0];
    table.row[PRODUCT][c] = (float)total[1];
  }
  if (plan_trains(plan)) add_weight_gradients(plan, step->node, &table, layout.channels);
}

static const struct plan_parted summing = {.begin = fill_table, .run = sum_part, .finish = finish_sums};

/* Running statistics do not depend on the input: where no weights are trained either, nobody wants the sums. */
static bool has_sums(const struct plan *plan) { return of_batch(plan) || plan_trains(plan); }

/* The rows of struct norm_terms. */
static void prepare_back(const struct plan *plan, const struct plan_step *step) {
  const struct nn_node *node = step->node;
  const struct blocked layout = plan_layout(plan, step->tensors[X]);
  const struct table table = table_of(plan, step, &layout);
  const float *scale = weight(plan, node, SCALE), *variance = variance_of(plan, node);
  const double count = (double)(layout.images * layout.positions);
  if (!has_sums(plan)) fill_table(plan, step); /* else these have done it */
  for (int64_t c = 0; c < layout.padded; c++) {
    const bool is_there = c < layout.channels;
    const double wide = is_there ? deviation(variance[c]) : 1.0, factor = is_there ? scale[c] / wide : 0.0;
    table.row[SCALED][c] = (float)factor;
    table.row[SLOPE][c] = of_batch(plan) ? (float)(-factor * table.row[PRODUCT][c] / (count * wide * wide)) : 0.0f;
    table.row[OFFSET][c] = of_batch(plan) ? (float)(-factor * table.row[SUM][c] / count) : 0.0f;
  }
}

static void back_part(const struct plan *plan, const struct plan_step *step, const struct plan_part *part) {
  const struct blocked layout = plan_layout(plan, step->tensors[X]);
  const struct norm_kernels *kernels = kernels_choose(layout.block)->norm;
  const struct table table = table_of(plan, step, &layout);
  const struct norm_terms terms = {table.row[MEAN], table.row[SCALED], table.row[SLOPE], table.row[OFFSET]};
  struct norm_gate gate;
  kernels->backward(&layout, part->images, plan_data(plan, step->tensors[X]), gate_of(plan, step, &table, &gate),
                    plan_data(plan, step->tensors[GRADIENT]), &terms, plan_data(plan, step->tensors[DX]),
                    step->node->inputs[1] < 0 ? NULL : plan_data(plan, step->tensors[MASKED]));
}

static const struct plan_parted going_back = {.begin = prepare_back, .run = back_part, .waits = true};

static void backward(struct plan *plan, const struct nn_node *node) {
  plan->kind = PLAN_NORM;
  const int gradient = plan->gradients[node->output], from = plan->values[node->inputs[0]];
  const dnnl_memory_desc_t data = plan_tensor_md(plan, from);
  const struct blocked layout = plan_layout(plan, from);
  const bool adds = node->inputs[1] >= 0;
  const int output = adds ? plan->values[node->output] : -1;
  plan_toward(plan, node->output);
  const int table = plan_floats(plan, ROWS * layout.padded, false);
  const int parts = part_doubles(plan, &layout, 2 * layout.padded);
  if (has_sums(plan)) PLAN_PARTED(plan, &summing, parts_of(plan, &layout), node, from, gradient, table, parts, output);
  const int masked = adds ? plan_tensor(plan, data, gradient, -1) : -1;
  const int to = plan_tensor(plan, data, adds ? -1 : gradient, -1);
  PLAN_PARTED(plan, &going_back, parts_of(plan, &layout), node, from, gradient, table, to, output, masked);
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
