/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "steps.h"

static void make_attributes(struct plan *plan) {
  dnnl_primitive_attr_t *const all[] = {&plan->plain, &plan->add};
  dnnl_post_ops_t add = NULL;
  for (int k = 0; k < 2; k++) {
    plan_check(plan, dnnl_primitive_attr_create(all[k]));
    plan_check(plan, dnnl_primitive_attr_set_scratchpad_mode(*all[k], dnnl_scratchpad_mode_user));
  }
  if (plan_check(plan, dnnl_post_ops_create(&add))) {
    plan_check(plan, dnnl_post_ops_append_sum(add, 1.0f));
    plan_check(plan, dnnl_primitive_attr_set_post_ops(plan->add, add));
  }
  dnnl_post_ops_destroy(add);
}

static void make_borders(struct plan *plan) {
  const int output = plan->setup.graph->output;
  const int values[PLAN_BORDERS] = {
      [PLAN_INPUT] = NN_INPUT,
      [PLAN_OUTPUT] = output,
      [PLAN_OUTPUT_GRADIENT] = output,
      [PLAN_INPUT_GRADIENT] = NN_INPUT,
  };
  for (int k = 0; k < PLAN_BORDERS; k++) plan_host_tensor(plan, plan_describe_border(plan, values[k]), NULL);
}

static void add_forward(struct plan *plan) {
  const struct nn_graph *graph = plan->setup.graph;
  plan->phase = PLAN_FORWARD;
  for (int k = 0; k < graph->node_count && plan->error.status == DVT_OK; k++) {
    plan->name = graph->nodes[k].name;
    plan->kind = PLAN_OTHER;
    graph->nodes[k].layer->forward(plan, &graph->nodes[k]);
  }
  plan->name = "output";
  plan->kind = PLAN_OTHER;
  plan_copy(plan, plan->values[graph->output], PLAN_OUTPUT, plan->plain);
}

static void add_backward(struct plan *plan) {
  const struct nn_graph *graph = plan->setup.graph;
  plan->phase = PLAN_BACKWARD;
  plan->name = "gradient of the output";
  plan->kind = PLAN_OTHER;
  plan_toward(plan, graph->output);
  const int from = plan_tensor(plan, plan_describe_value(plan, graph->output), -1, -1);
  plan_copy(plan, PLAN_OUTPUT_GRADIENT, from, plan->plain);
  plan_add_gradient(plan, graph->output, from);
  for (int k = graph->node_count - 1; k >= 0 && plan->error.status == DVT_OK; k--) {
    if (plan->gradients[graph->nodes[k].output] < 0) continue;
    plan->name = graph->nodes[k].name;
    plan->kind = PLAN_OTHER;
    graph->nodes[k].layer->backward(plan, &graph->nodes[k]);
  }
  plan->name = "gradient of the input";
  plan->kind = PLAN_OTHER;
  plan_toward(plan, NN_INPUT);
  plan_copy(plan, plan->gradients[NN_INPUT], PLAN_INPUT_GRADIENT, plan->plain);
}

static bool make_tables(struct plan *plan) {
  const struct nn_graph *graph = plan->setup.graph;
  plan->values = malloc((size_t)graph->value_count * sizeof *plan->values);
  plan->gradients = malloc((size_t)graph->value_count * sizeof *plan->gradients);
  plan->memos = calloc((size_t)graph->node_count, sizeof *plan->memos);
  if (!plan->values || !plan->gradients || !plan->memos) return false;
  for (int k = 0; k < graph->value_count; k++) plan->values[k] = plan->gradients[k] = -1;
  return true;
}

static void free_descriptors(struct plan *plan) {
  for (int k = 0; k < plan->descriptor_count; k++) dnnl_primitive_desc_destroy(plan->descriptors[k]);
  free(plan->descriptors);
  plan->descriptors = NULL;
  plan->descriptor_count = 0;
}

/* NULL when there is no memory; other errors are in the plan. */
static struct plan *make(const struct plan_setup *setup) {
  struct plan *plan = calloc(1, sizeof *plan);
  if (!plan) return NULL;
  plan->setup = *setup;
  plan->error = (struct dvt_error)DVT_ERROR_INIT;
  if (!make_tables(plan)) {
    plan_free(plan);
    return NULL;
  }
  plan->name = "borders";
  plan->kind = PLAN_OTHER;
  make_attributes(plan);
  make_borders(plan);
  add_forward(plan);
  if (setup->flags & DVT_PASS_BACKWARD) add_backward(plan);
  free_descriptors(plan);
  return plan;
}

/* As `make`, but never with layouts that do not fit together. */
static struct plan *make_fitting(const struct plan_setup *setup) {
  struct plan_setup dense = *setup;
  dense.dense = true;
  dense.half = false;
  struct plan *plan = make(setup);
  if (!plan || !plan->misfit || setup->dense) return plan;
  plan_free(plan);
  return make(&dense);
}

static bool place(struct plan *plan) {
  int *groups = calloc((size_t)plan->time + 1, sizeof *groups), time = 0, group = 0;
  if (!groups) return false;
  for (int phase = PLAN_FORWARD; phase < PLAN_PHASES; phase++)
    for (int k = 0, end; k < plan->phases[phase].count; k = end, group++) {
      end = plan_group_end(&plan->phases[phase], k);
      for (int i = k; i < end; i++) groups[time++] = group;
    }
  groups[time] = group;
  const bool placed = arena_place(&plan->arena, groups);
  free(groups);
  return placed;
}

int plan_new(const struct plan_setup *setup, struct plan **out, struct dvt_error *error) {
  struct plan *plan = make_fitting(setup);
  if (!plan) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  if (plan->error.status == DVT_OK && !place(plan)) dvt_fail(&plan->error, DVT_ERROR_MEMORY, "out of memory");
  if (plan->error.status != DVT_OK) {
    const int status = dvt_fail(error, plan->error.status, "%s", plan->error.message);
    plan_free(plan);
    return status;
  }
  *out = plan;
  return DVT_OK;
}

void plan_free(struct plan *plan) {
  if (!plan) return;
  free_descriptors(plan);
  for (int phase = 0; phase < PLAN_PHASES; phase++) {
    for (int k = 0; k < plan->phases[phase].count; k++) dnnl_primitive_destroy(plan->phases[phase].items[k].primitive);
    free(plan->phases[phase].items);
  }
  for (int k = 0; k < plan->tensor_count; k++) dnnl_memory_destroy(plan->tensors[k].memory);
  dnnl_primitive_attr_destroy(plan->plain);
  dnnl_primitive_attr_destroy(plan->add);
  arena_finish(&plan->arena);
  free(plan->tensors);
  free(plan->values);
  free(plan->gradients);
  free(plan->memos);
  free(plan);
}

int plan_place(struct plan *plan, void *memory, struct dvt_error *error) {
  for (int k = 0; k < plan->tensor_count; k++) {
    struct plan_tensor *tensor = &plan->tensors[k];
    void *data =
        tensor->buffer < 0 ? (void *)tensor->host : (char *)memory + plan->arena.buffers[tensor->buffer].offset;
    const dnnl_status_t status = dnnl_memory_create(&tensor->memory, &tensor->md, plan->setup.engine, data);
    if (status != dnnl_success) return plan_fail("memory", status, error);
  }
  for (int phase = 0; phase < PLAN_PHASES; phase++)
    for (int k = 0; k < plan->phases[phase].count; k++) {
      struct plan_step *step = &plan->phases[phase].items[k];
      for (int i = 0; i < step->count; i++) step->arguments[i].memory = plan->tensors[step->tensors[i]].memory;
    }
  return DVT_OK;
}

int plan_set_border(struct plan *plan, enum plan_border border, void *data, struct dvt_error *error) {
  const dnnl_status_t status = dnnl_memory_set_data_handle(plan->tensors[border].memory, data);
  return status == dnnl_success ? DVT_OK : plan_fail("border", status, error);
}

void plan_commit(struct plan *plan) {
  const struct nn_graph *graph = plan->setup.graph;
  for (int k = 0; k < graph->node_count; k++)
    if (graph->nodes[k].layer->commit) graph->nodes[k].layer->commit(plan, &graph->nodes[k]);
}
