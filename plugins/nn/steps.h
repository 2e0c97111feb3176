/* SPDX-License-Identifier: MIT */
/** What layers add to a plan while it is made (see plan.h): tensors, and steps on them. */
#ifndef NN_STEPS_H
#define NN_STEPS_H

#include "plan.h"

/** True when all is well so far; keeps the error otherwise. */
bool plan_check(struct plan *plan, dnnl_status_t status);

dnnl_memory_desc_t plan_describe(struct plan *plan, int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag);

/** [n, C, H, W] of a value, or [n, C] of a flat one: dense float32, as at the borders. */
dnnl_memory_desc_t plan_describe_border(struct plan *plan, int value);

/** The same in the precision of the plan and, unless the plan is dense, in a layout left open. */
dnnl_memory_desc_t plan_describe_open(struct plan *plan, int value);

/** Descriptor of a value: its tensor's; of an input whose layout is open, an open one. */
dnnl_memory_desc_t plan_describe_value(struct plan *plan, int value);

/** Descriptor of a value's gradient: as the value's, but open for that of the input until it has a first one. */
dnnl_memory_desc_t plan_describe_gradient(struct plan *plan, int value);

/**
 * A tensor in the arena; it may take the place of `a` or `b` (or -1) where these are used for the last time, so the
 * first step that uses it must read every element of those before it writes the same one. A step that is done by parts
 * has both in the same layout.
 */
int plan_tensor(struct plan *plan, dnnl_memory_desc_t md, int a, int b);

/** A tensor in the arena that keeps its content until the plan is freed. */
int plan_kept_tensor(struct plan *plan, dnnl_memory_desc_t md);

/** False, with the plan a misfit, where our own loops cannot walk through a tensor. */
bool plan_check_walkable(struct plan *plan, int tensor);

/** How our own loops walk through a tensor, for which plan_check_walkable was true. */
struct blocked plan_layout(const struct plan *plan, int tensor);

/** A descriptor with another data type. */
dnnl_memory_desc_t plan_retyped(dnnl_memory_desc_t md, dnnl_data_type_t type);

/** A float32 tensor with the content of a bfloat16 one, in the same layout; one that is float32 already is itself. */
int plan_as_float(struct plan *plan, int tensor);

/** A vector of floats in the arena, for work of our own. */
int plan_floats(struct plan *plan, int64_t count, bool kept);

/** A tensor in the host's memory. */
int plan_host_tensor(struct plan *plan, dnnl_memory_desc_t md, float *data);

dnnl_memory_desc_t plan_tensor_md(const struct plan *plan, int tensor);

/** Where a tensor is, once the plan has its memory. */
float *plan_data(const struct plan *plan, int tensor);

/** How oneDNN will do an operation; `forward`: the hint that backward operations need, or NULL. Belongs to the plan. */
dnnl_primitive_desc_t plan_descriptor(struct plan *plan, const_dnnl_op_desc_t operation,
                                      const_dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t forward);

/** As plan_descriptor; NULL, and no error, when oneDNN cannot do it but by its reference code. */
dnnl_primitive_desc_t plan_try_descriptor(struct plan *plan, const_dnnl_op_desc_t operation,
                                          const_dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t forward);

/** What a primitive descriptor settled on for a tensor. */
dnnl_memory_desc_t plan_query(const_dnnl_primitive_desc_t descriptor, dnnl_query_t what);

struct plan_argument {
  int index; /**< DNNL_ARG_… */
  int tensor;
};

/** Adds a step to the phase under way. An argument whose tensor is -1 is left out. */
void plan_step(struct plan *plan, const_dnnl_primitive_desc_t descriptor, const struct plan_argument *arguments,
               int count);

/** Adds a step of our own, for a node or NULL, which reads or writes these tensors. */
void plan_task(struct plan *plan, plan_work task, const struct nn_node *node, const int *tensors, int count);

/** As plan_task, a step that is done in `parts` parts; `parted` outlives the plan. */
void plan_parted(struct plan *plan, const struct plan_parted *parted, int64_t parts, const struct nn_node *node,
                 const int *tensors, int count);

#define PLAN_STEP(plan, descriptor, ...)                                                                               \
  plan_step(plan, descriptor, (const struct plan_argument[]){__VA_ARGS__},                                             \
            (int)(sizeof((const struct plan_argument[]){__VA_ARGS__}) / sizeof(struct plan_argument)))

#define PLAN_TASK(plan, task, node, ...)                                                                               \
  plan_task(plan, task, node, (const int[]){__VA_ARGS__}, (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))

#define PLAN_PARTED(plan, parted, parts, node, ...)                                                                    \
  plan_parted(plan, parted, parts, node, (const int[]){__VA_ARGS__},                                                   \
              (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))

/** Adds steps that copy a tensor into another, which may have another layout or data type. */
void plan_copy(struct plan *plan, int from, int to, const_dnnl_primitive_attr_t attr);

/** The tensor of a value that has one, or of an input, whose layout `md` settles where it is open. */
int plan_read(struct plan *plan, int value, dnnl_memory_desc_t md);

/** Makes the tensor of a value; it may take the place of `a` (or -1), as for plan_tensor. */
int plan_write(struct plan *plan, int value, dnnl_memory_desc_t md, int a);

/** Weights, dense in the host's memory, as `md` has them: copied there anew whenever the values changed. */
int plan_packed(struct plan *plan, int dense, dnnl_memory_desc_t md);

/** As plan_packed, by a task, whose tensors are `dense` and the one that is returned, of `count` floats. */
int plan_packed_by(struct plan *plan, plan_work task, int dense, int64_t count);

/** Adds a task that runs when the values changed, and writes tensors that are kept. */
void plan_refresh(struct plan *plan, plan_work task, const struct nn_node *node, const int *tensors, int count);

/** True when gradients of the weights are wanted. */
bool plan_trains(const struct plan *plan);

/** Steps from now on serve the gradient of `value`; -1: those of weights. */
void plan_toward(struct plan *plan, int value);

/** Adds a gradient of a value to those from its other readers. */
void plan_add_gradient(struct plan *plan, int value, int tensor);

/** Adds a gradient of weight `weight` (an index in the graph) to the host's, which is as `dense` has it. */
void plan_add_weight_gradient(struct plan *plan, int weight, dnnl_memory_desc_t dense, int tensor);

#endif
