/* SPDX-License-Identifier: MIT */
#include "conv_winograd.h"

#include <string.h>

static bool init(const struct plan *plan, struct winograd *winograd, int from, int to) {
  const dnnl_memory_desc_t source = plan_tensor_md(plan, from), target = plan_tensor_md(plan, to);
  return winograd_init(winograd, &source, &target);
}

/* Of a step that there is: so these two fit. */
static struct winograd shape_of(const struct plan *plan, int from, int to) {
  struct winograd winograd = {0};
  init(plan, &winograd, from, to);
  return winograd;
}

bool conv_winograd_fits(struct plan *plan, const struct nn_node *node, int from, int to) {
  struct winograd winograd;
  return from >= 0 && to >= 0 && node->kernel == 3 && node->stride == 1 && init(plan, &winograd, from, to);
}

/* Of a run; what packs for one knows the first two, as plan_packed_by gives them. */
enum { DENSE, PACKED, FROM, TO, SCRATCH, BIAS, ADDEND };

static void pack(const struct plan *plan, const struct plan_step *step) {
  const dnnl_memory_desc_t weights = plan_tensor_md(plan, step->tensors[DENSE]);
  const struct winograd_kernels *kernels = kernels_choose(weights.dims[0])->winograd;
  kernels->pack(weights.dims, plan_data(plan, step->tensors[DENSE]), plan_data(plan, step->tensors[PACKED]));
}

static void pack_turned(const struct plan *plan, const struct plan_step *step) {
  const dnnl_memory_desc_t weights = plan_tensor_md(plan, step->tensors[DENSE]);
  const struct winograd_kernels *kernels = kernels_choose(weights.dims[0])->winograd;
  kernels->pack_turned(weights.dims, plan_data(plan, step->tensors[DENSE]), plan_data(plan, step->tensors[PACKED]));
}

/* What a thread has for itself of a tensor of `size` floats for each. */
static float *own(const struct plan *plan, int tensor, const struct plan_part *part, int64_t size) {
  return plan_data(plan, tensor) + part->thread * size;
}

static void run_and(const struct plan *plan, const struct plan_step *step, const struct plan_part *part,
                    const struct winograd_after *after) {
  const struct winograd winograd = shape_of(plan, step->tensors[FROM], step->tensors[TO]);
  const struct winograd_kernels *kernels = kernels_choose(winograd.block)->winograd;
  kernels->run(&winograd, part->images, plan_data(plan, step->tensors[FROM]), plan_data(plan, step->tensors[PACKED]),
               after, plan_data(plan, step->tensors[TO]),
               own(plan, step->tensors[SCRATCH], part, winograd_scratch_size(&winograd)));
}

static void run(const struct plan *plan, const struct plan_step *step, const struct plan_part *part) {
  run_and(plan, step, part, NULL);
}

static void run_add(const struct plan *plan, const struct plan_step *step, const struct plan_part *part) {
  const struct winograd_after sum = {.addend = plan_data(plan, step->tensors[TO])};
  run_and(plan, step, part, &sum);
}

/* With the batch norm that the step's node is. */
static void run_folded(const struct plan *plan, const struct plan_step *step, const struct plan_part *part) {
  const struct winograd_after after = {
      .bias = plan_data(plan, step->tensors[BIAS]),
      .addend = step->node->inputs[1] < 0 ? NULL : plan_data(plan, step->tensors[ADDEND]),
      .relu = step->node->relu,
  };
  run_and(plan, step, part, &after);
}

/* Backward by data it may add to what is there. */
enum how { HOW_FORWARD, HOW_BACK, HOW_BACK_ADDING, HOWS };

/*
 * Weights that are trained change before each step, so each convolution packs them itself, into memory that the others
 * use too; other weights are packed once. The maps of a whole stage would be in use at once if folded ones ran side by
 * side.
 */
static const struct plan_parted trained[HOWS] = {{.begin = pack, .run = run},
                                                 {.begin = pack_turned, .run = run},
                                                 {.begin = pack_turned, .run = run_add}},
                                packed_once[HOWS] = {{.run = run}, {.run = run}, {.run = run_add}},
                                folded_once = {.run = run_folded, .waits = true};

enum { SUM_FROM, SUM_GRADIENT, SUM_TO, SUMS, SUM_SCRATCH };

static int64_t all_sums(const struct plan *plan, const struct winograd *winograd) {
  return plan->setup.threads * winograd_sums_size(winograd);
}

static void clear_sums(const struct plan *plan, const struct plan_step *step) {
  const struct winograd winograd = shape_of(plan, step->tensors[SUM_FROM], step->tensors[SUM_GRADIENT]);
  memset(plan_data(plan, step->tensors[SUMS]), 0, (size_t)all_sums(plan, &winograd) * sizeof(float));
}

static void sum(const struct plan *plan, const struct plan_step *step, const struct plan_part *part) {
  const struct winograd winograd = shape_of(plan, step->tensors[SUM_FROM], step->tensors[SUM_GRADIENT]);
  const struct winograd_kernels *kernels = kernels_choose(winograd.block)->winograd;
  kernels->sum(&winograd, part->images, plan_data(plan, step->tensors[SUM_FROM]),
               plan_data(plan, step->tensors[SUM_GRADIENT]),
               own(plan, step->tensors[SUMS], part, winograd_sums_size(&winograd)),
               own(plan, step->tensors[SUM_SCRATCH], part, winograd_scratch_size(&winograd)));
}

/* Threads in their order. */
static void add_sums(const struct plan *plan, const struct plan_step *step) {
  const struct winograd winograd = shape_of(plan, step->tensors[SUM_FROM], step->tensors[SUM_GRADIENT]);
  const struct winograd_kernels *kernels = kernels_choose(winograd.block)->winograd;
  const int64_t size = winograd_sums_size(&winograd);
  float *sums = plan_data(plan, step->tensors[SUMS]);
  for (const float *more = sums + size; more < sums + all_sums(plan, &winograd); more += size)
    for (int64_t k = 0; k < size; k++) sums[k] += more[k];
  kernels->add_sums(&winograd, sums, plan_data(plan, step->tensors[SUM_TO]));
}

static const struct plan_parted summing = {.begin = clear_sums, .run = sum, .finish = add_sums};

/* For all threads. */
static int add_scratch(struct plan *plan, const struct winograd *winograd) {
  return plan_floats(plan, plan->setup.threads * winograd_scratch_size(winograd), false);
}

/* Those of the larger map. */
static int64_t parts_of(const struct plan *plan, const struct winograd *winograd) {
  const bool widens = winograd->target.padded > winograd->source.padded;
  return blocked_parts(widens ? &winograd->target : &winograd->source, plan->setup.threads);
}

static void add_run(struct plan *plan, enum how how, int from, int dense, int to) {
  const dnnl_memory_desc_t weights = plan_tensor_md(plan, dense);
  const int64_t size = winograd_packed_size(weights.dims);
  const bool trains = plan_trains(plan);
  struct winograd winograd;
  if (!init(plan, &winograd, from, to)) return;
  const int packed = trains ? plan_floats(plan, size, false)
                            : plan_packed_by(plan, how == HOW_FORWARD ? pack : pack_turned, dense, size);
  PLAN_PARTED(plan, trains ? &trained[how] : &packed_once[how], parts_of(plan, &winograd), NULL, dense, packed, from,
              to, add_scratch(plan, &winograd));
}

void conv_winograd_folded(struct plan *plan, const struct nn_node *norm, const struct conv_folded *folded, int from,
                          int to) {
  const dnnl_memory_desc_t weights = plan_tensor_md(plan, folded->weights);
  const int packed = plan_packed_by(plan, pack, folded->weights, winograd_packed_size(weights.dims));
  struct winograd winograd;
  if (init(plan, &winograd, from, to))
    PLAN_PARTED(plan, &folded_once, parts_of(plan, &winograd), norm, folded->weights, packed, from, to,
                add_scratch(plan, &winograd), folded->bias, folded->addend);
}

void conv_winograd_forward(struct plan *plan, int from, int dense, int to) {
  add_run(plan, HOW_FORWARD, from, dense, to);
}

void conv_winograd_backward_data(struct plan *plan, int gradient, int dense, int to, bool add) {
  add_run(plan, add ? HOW_BACK_ADDING : HOW_BACK, gradient, dense, to);
}

void conv_winograd_backward_weights(struct plan *plan, int from, int gradient, int dense) {
  struct winograd winograd;
  if (!init(plan, &winograd, from, gradient)) return;
  const int sums = plan_floats(plan, all_sums(plan, &winograd), false);
  PLAN_PARTED(plan, &summing, parts_of(plan, &winograd), NULL, from, gradient, dense, sums,
              add_scratch(plan, &winograd));
}
