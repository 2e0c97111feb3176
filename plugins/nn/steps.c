/* SPDX-License-Identifier: MIT */
/* What layers add to a plan. */
#include <string.h>

#include "array.h"
#include "steps.h"

static const char *status_text(dnnl_status_t status) {
  switch (status) {
  case dnnl_out_of_memory: return "out of memory";
  case dnnl_invalid_arguments: return "invalid arguments";
  case dnnl_unimplemented: return "not implemented for these shapes on this processor";
  default: return "runtime error";
  }
}

int plan_fail(const char *what, dnnl_status_t status, struct dvt_error *error) {
  const int code = status == dnnl_out_of_memory ? DVT_ERROR_MEMORY : DVT_ERROR_INTERNAL;
  return dvt_fail(error, code, "%s: oneDNN: %s", what, status_text(status));
}

static bool fail(struct plan *plan, int status, const char *what) {
  if (plan->error.status == DVT_OK) dvt_fail(&plan->error, status, "%s: %s", plan->name, what);
  return false;
}

static bool well(const struct plan *plan) { return plan->error.status == DVT_OK; }

bool plan_check(struct plan *plan, dnnl_status_t status) {
  if (status == dnnl_success || !well(plan)) return well(plan);
  plan->misfit |= status == dnnl_unimplemented;
  plan_fail(plan->name, status, &plan->error);
  return false;
}

dnnl_memory_desc_t plan_describe(struct plan *plan, int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag) {
  dnnl_memory_desc_t md = {0};
  plan_check(plan, dnnl_memory_desc_init_by_tag(&md, rank, dims, dnnl_f32, tag));
  return md;
}

static dnnl_memory_desc_t describe(struct plan *plan, int value, dnnl_data_type_t type, bool open) {
  const struct nn_value *shape = &plan->setup.graph->values[value];
  const dnnl_dims_t dims = {plan->setup.batch, shape->shape[0], shape->shape[1], shape->shape[2]};
  const dnnl_format_tag_t dense = shape->flat ? dnnl_ab : dnnl_abcd;
  dnnl_memory_desc_t md = {0};
  plan_check(plan,
             dnnl_memory_desc_init_by_tag(&md, shape->flat ? 2 : 4, dims, type, open ? dnnl_format_tag_any : dense));
  return md;
}

dnnl_memory_desc_t plan_describe_border(struct plan *plan, int value) { return describe(plan, value, dnnl_f32, false); }

dnnl_memory_desc_t plan_describe_open(struct plan *plan, int value) {
  const struct nn_value *shape = &plan->setup.graph->values[value];
  /* Images, whose channels fill no block, are no use to our own loops. */
  const bool is_image = value == NN_INPUT && shape->shape[0] % BLOCKED_UNIT && !plan_has_half_arithmetic();
  const bool kept = is_image || shape->precise;
  const bool half = plan->setup.half && !kept;
  return describe(plan, value, half ? dnnl_bf16 : dnnl_f32, !plan->setup.dense);
}

dnnl_memory_desc_t plan_describe_value(struct plan *plan, int value) {
  const int tensor = plan->values[value];
  return tensor < 0 ? plan_describe_open(plan, value) : plan_tensor_md(plan, tensor);
}

dnnl_memory_desc_t plan_describe_gradient(struct plan *plan, int value) {
  if (plan->gradients[value] >= 0) return plan_tensor_md(plan, plan->gradients[value]);
  return value == NN_INPUT ? plan_describe_open(plan, value) : plan_describe_value(plan, value);
}

static int add_tensor(struct plan *plan, dnnl_memory_desc_t md, int buffer, float *host) {
  struct plan_tensor *tensors = array_room(plan->tensors, (size_t)plan->tensor_count, sizeof *tensors);
  if (!tensors) return fail(plan, DVT_ERROR_MEMORY, "out of memory"), -1;
  plan->tensors = tensors;
  tensors[plan->tensor_count] = (struct plan_tensor){.md = md, .buffer = buffer, .host = host};
  return plan->tensor_count++;
}

static int buffer_of(const struct plan *plan, int tensor) { return tensor < 0 ? -1 : plan->tensors[tensor].buffer; }

int plan_tensor(struct plan *plan, dnnl_memory_desc_t md, int a, int b) {
  if (!well(plan)) return -1;
  const size_t size = dnnl_memory_desc_get_size(&md);
  const int buffer = arena_add(&plan->arena, size, buffer_of(plan, a), buffer_of(plan, b));
  if (buffer < 0) return fail(plan, DVT_ERROR_MEMORY, "out of memory"), -1;
  return add_tensor(plan, md, buffer, NULL);
}

int plan_kept_tensor(struct plan *plan, dnnl_memory_desc_t md) {
  const int tensor = plan_tensor(plan, md, -1, -1);
  if (tensor >= 0) arena_use(&plan->arena, plan->tensors[tensor].buffer, ARENA_ALWAYS);
  return tensor;
}

bool plan_check_walkable(struct plan *plan, int tensor) {
  const dnnl_memory_desc_t md = plan_tensor_md(plan, tensor);
  struct blocked layout;
  return plan_check(plan, tensor >= 0 && blocked_init(&layout, &md) ? dnnl_success : dnnl_unimplemented);
}

struct blocked plan_layout(const struct plan *plan, int tensor) {
  const dnnl_memory_desc_t md = plan_tensor_md(plan, tensor);
  struct blocked layout = {0};
  blocked_init(&layout, &md);
  return layout;
}

bool plan_has_half_arithmetic(void) { return kernels_may_use(dnnl_cpu_isa_avx512_core_bf16); }

int plan_floats(struct plan *plan, int64_t count, bool kept) {
  const dnnl_memory_desc_t md = plan_describe(plan, 1, (const dnnl_dims_t){count}, dnnl_a);
  return kept ? plan_kept_tensor(plan, md) : plan_tensor(plan, md, -1, -1);
}

int plan_host_tensor(struct plan *plan, dnnl_memory_desc_t md, float *data) {
  return well(plan) ? add_tensor(plan, md, -1, data) : -1;
}

dnnl_memory_desc_t plan_tensor_md(const struct plan *plan, int tensor) {
  return tensor < 0 ? (dnnl_memory_desc_t){0} : plan->tensors[tensor].md;
}

float *plan_data(const struct plan *plan, int tensor) {
  void *data = NULL;
  dnnl_memory_get_data_handle(plan->tensors[tensor].memory, &data);
  return data;
}

static bool is_reference(const_dnnl_primitive_desc_t descriptor) {
  const char *name = "";
  dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, (void *)&name);
  return !strncmp(name, "ref", 3);
}

static dnnl_primitive_desc_t keep_descriptor(struct plan *plan, dnnl_primitive_desc_t descriptor) {
  dnnl_primitive_desc_t *all = array_room(plan->descriptors, (size_t)plan->descriptor_count, sizeof *all);
  if (!all) {
    dnnl_primitive_desc_destroy(descriptor);
    fail(plan, DVT_ERROR_MEMORY, "out of memory");
    return NULL;
  }
  plan->descriptors = all;
  plan->misfit |= is_reference(descriptor);
  return all[plan->descriptor_count++] = descriptor;
}

dnnl_primitive_desc_t plan_descriptor(struct plan *plan, const_dnnl_op_desc_t operation,
                                      const_dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t forward) {
  dnnl_primitive_desc_t descriptor = NULL;
  if (!well(plan)) return NULL;
  if (!plan_check(plan, dnnl_primitive_desc_create(&descriptor, operation, attr, plan->setup.engine, forward)))
    return NULL;
  return keep_descriptor(plan, descriptor);
}

dnnl_primitive_desc_t plan_try_descriptor(struct plan *plan, const_dnnl_op_desc_t operation,
                                          const_dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t forward) {
  dnnl_primitive_desc_t descriptor = NULL;
  if (!well(plan)) return NULL;
  if (dnnl_primitive_desc_create(&descriptor, operation, attr, plan->setup.engine, forward) != dnnl_success)
    return NULL;
  if (!is_reference(descriptor)) return keep_descriptor(plan, descriptor);
  dnnl_primitive_desc_destroy(descriptor);
  return NULL;
}

dnnl_memory_desc_t plan_query(const_dnnl_primitive_desc_t descriptor, dnnl_query_t what) {
  const dnnl_memory_desc_t *md = descriptor ? dnnl_primitive_desc_query_md(descriptor, what, 0) : NULL;
  return md ? *md : (dnnl_memory_desc_t){0};
}

static struct plan_step *add_step(struct plan *plan) {
  struct plan_steps *steps = &plan->phases[plan->phase];
  struct plan_step *items = array_room(steps->items, (size_t)steps->count, sizeof *items);
  if (!items) return fail(plan, DVT_ERROR_MEMORY, "out of memory"), NULL;
  steps->items = items;
  items[steps->count] = (struct plan_step){.name = plan->name, .kind = plan->kind, .for_input = plan->for_input};
  return &items[steps->count++];
}

static void add_argument(struct plan *plan, struct plan_step *step, int index, int tensor) {
  if (tensor < 0) return;
  step->arguments[step->count].arg = index;
  step->tensors[step->count++] = tensor;
  if (plan->tensors[tensor].buffer >= 0) arena_use(&plan->arena, plan->tensors[tensor].buffer, plan->time);
}

/*
 * Refresh steps run before all others and take no time of their own: what they leave is kept, in places that no other
 * tensor has, and what they use meanwhile the steps after them make anew.
 */
static void end_step(struct plan *plan) { plan->time += plan->phase != PLAN_REFRESH; }

void plan_step(struct plan *plan, const_dnnl_primitive_desc_t descriptor, const struct plan_argument *arguments,
               int count) {
  if (!well(plan)) return;
  const dnnl_memory_desc_t scratch = plan_query(descriptor, dnnl_query_scratchpad_md);
  const int scratchpad = dnnl_memory_desc_get_size(&scratch) ? plan_tensor(plan, scratch, -1, -1) : -1;
  struct plan_step *step = add_step(plan);
  if (!step || !plan_check(plan, dnnl_primitive_create(&step->primitive, descriptor))) return;
  for (int k = 0; k < count; k++) add_argument(plan, step, arguments[k].index, arguments[k].tensor);
  if (scratchpad >= 0) add_argument(plan, step, DNNL_ARG_SCRATCHPAD, scratchpad);
  end_step(plan);
}

/* A step of our own; NULL: there was no memory, or the plan has failed before. */
static struct plan_step *add_own(struct plan *plan, const struct nn_node *node, const int *tensors, int count) {
  struct plan_step *step = well(plan) ? add_step(plan) : NULL;
  if (!step) return NULL;
  step->node = node;
  for (int k = 0; k < count; k++) add_argument(plan, step, 0, tensors[k]);
  end_step(plan);
  return step;
}

void plan_task(struct plan *plan, plan_work task, const struct nn_node *node, const int *tensors, int count) {
  struct plan_step *step = add_own(plan, node, tensors, count);
  if (step) step->task = task;
}

void plan_parted(struct plan *plan, const struct plan_parted *parted, int64_t parts, const struct nn_node *node,
                 const int *tensors, int count) {
  struct plan_step *step = add_own(plan, node, tensors, count);
  if (!step) return;
  step->parted = parted;
  step->parts = parts;
}

/* With the padding of the layout. */
static int64_t element_count(const dnnl_memory_desc_t *md) {
  return (int64_t)(dnnl_memory_desc_get_size(md) / (md->data_type == dnnl_bf16 ? sizeof(uint16_t) : sizeof(float)));
}

static void to_float(const struct plan *plan, const struct plan_step *step) {
  const dnnl_memory_desc_t md = plan_tensor_md(plan, step->tensors[0]);
  kernels_choose(1)->elementwise->to_float(element_count(&md), plan_data(plan, step->tensors[0]),
                                           plan_data(plan, step->tensors[1]));
}

static void to_half(const struct plan *plan, const struct plan_step *step) {
  const dnnl_memory_desc_t md = plan_tensor_md(plan, step->tensors[0]);
  kernels_choose(1)->elementwise->to_half(element_count(&md), plan_data(plan, step->tensors[0]),
                                          plan_data(plan, step->tensors[1]));
}

dnnl_memory_desc_t plan_retyped(dnnl_memory_desc_t md, dnnl_data_type_t type) {
  md.data_type = type;
  return md;
}

int plan_as_float(struct plan *plan, int tensor) {
  const dnnl_memory_desc_t md = plan_tensor_md(plan, tensor);
  if (md.data_type != dnnl_bf16) return tensor;
  const int to = plan_tensor(plan, plan_retyped(md, dnnl_f32), -1, -1);
  PLAN_TASK(plan, to_float, NULL, tensor, to);
  return to;
}

static void reorder(struct plan *plan, int from, int to, const_dnnl_primitive_attr_t attr) {
  dnnl_primitive_desc_t descriptor = NULL;
  const dnnl_memory_desc_t source = plan_tensor_md(plan, from), target = plan_tensor_md(plan, to);
  if (!plan_check(plan, dnnl_reorder_primitive_desc_create(&descriptor, &source, plan->setup.engine, &target,
                                                           plan->setup.engine, attr)))
    return;
  PLAN_STEP(plan, keep_descriptor(plan, descriptor), {DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to});
}

/* Without arithmetic on bfloat16, oneDNN's reorders from or to it are slow ones. */
void plan_copy(struct plan *plan, int from, int to, const_dnnl_primitive_attr_t attr) {
  const dnnl_memory_desc_t target = plan_tensor_md(plan, to);
  if (!well(plan)) return;
  if (plan_has_half_arithmetic()) {
    reorder(plan, from, to, attr);
  } else if (target.data_type == dnnl_bf16) {
    const int between = plan_tensor(plan, plan_retyped(target, dnnl_f32), -1, -1);
    plan_copy(plan, plan_as_float(plan, from), between, attr);
    PLAN_TASK(plan, to_half, NULL, between, to);
  } else {
    reorder(plan, plan_as_float(plan, from), to, attr);
  }
}

int plan_read(struct plan *plan, int value, dnnl_memory_desc_t md) {
  if (plan->values[value] >= 0 || !well(plan)) return plan->values[value];
  const dnnl_memory_desc_t border = plan_tensor_md(plan, PLAN_INPUT);
  if (dnnl_memory_desc_equal(&md, &border)) return plan->values[value] = PLAN_INPUT;
  const enum plan_kind kind = plan->kind;
  plan->kind = PLAN_OTHER;
  plan->values[value] = plan_tensor(plan, md, -1, -1);
  plan_copy(plan, PLAN_INPUT, plan->values[value], plan->plain);
  plan->kind = kind;
  return plan->values[value];
}

int plan_write(struct plan *plan, int value, dnnl_memory_desc_t md, int a) {
  return plan->values[value] = plan_tensor(plan, md, a, -1);
}

/* What a refresh interrupts. */
struct interrupted {
  enum plan_phase phase;
  bool for_input;
};

/* Steps from here on are part of a refresh. */
static struct interrupted begin_refresh(struct plan *plan) {
  const struct interrupted before = {plan->phase, plan->for_input};
  plan->phase = PLAN_REFRESH;
  plan->for_input = false;
  return before;
}

static void end_refresh(struct plan *plan, struct interrupted before) {
  plan->phase = before.phase;
  plan->for_input = before.for_input;
}

int plan_packed(struct plan *plan, int dense, dnnl_memory_desc_t md) {
  const dnnl_memory_desc_t own = plan_tensor_md(plan, dense);
  if (dnnl_memory_desc_equal(&md, &own)) return dense;
  const int packed = plan_kept_tensor(plan, md);
  const struct interrupted before = begin_refresh(plan);
  plan_copy(plan, dense, packed, plan->plain);
  end_refresh(plan, before);
  return packed;
}

void plan_refresh(struct plan *plan, plan_work task, const struct nn_node *node, const int *tensors, int count) {
  const struct interrupted before = begin_refresh(plan);
  plan_task(plan, task, node, tensors, count);
  end_refresh(plan, before);
}

int plan_packed_by(struct plan *plan, plan_work task, int dense, int64_t count) {
  const int packed = plan_floats(plan, count, true), tensors[] = {dense, packed};
  plan_refresh(plan, task, NULL, tensors, 2);
  return packed;
}

bool plan_trains(const struct plan *plan) { return plan->setup.gradients; }

void plan_toward(struct plan *plan, int value) {
  plan->for_input = value >= 0 && !(plan_trains(plan) && plan->setup.graph->values[value].trained);
}

static void add(const struct plan *plan, const struct plan_step *step) {
  const dnnl_memory_desc_t md = plan_tensor_md(plan, step->tensors[0]);
  kernels_choose(1)->elementwise->add(element_count(&md), md.data_type == dnnl_bf16, plan_data(plan, step->tensors[0]),
                                      plan_data(plan, step->tensors[1]));
}

void plan_add_gradient(struct plan *plan, int value, int tensor) {
  const int before = plan->gradients[value];
  if (before >= 0) {
    const dnnl_memory_desc_t first = plan_tensor_md(plan, tensor), second = plan_tensor_md(plan, before);
    if (!plan_check(plan, dnnl_memory_desc_equal(&first, &second) ? dnnl_success : dnnl_unimplemented)) return;
    PLAN_TASK(plan, add, NULL, tensor, before);
  }
  plan->gradients[value] = tensor;
}

void plan_add_weight_gradient(struct plan *plan, int weight, dnnl_memory_desc_t dense, int tensor) {
  plan_copy(plan, tensor, plan_host_tensor(plan, dense, plan->setup.gradients[weight]), plan->add);
}
