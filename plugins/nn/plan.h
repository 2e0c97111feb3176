/* SPDX-License-Identifier: MIT */
/**
 * A plan: how a graph runs for one batch size. Each layer adds its steps (oneDNN primitives on tensors); then the plan
 * finds a place in one piece of memory for every tensor, by when it is in use. Nothing is made while it runs.
 *
 * What goes wrong while a plan is made is kept in it, with the name of the layer; everything after it does nothing, so
 * layers need not check. Tensors are named by numbers; -1 is one that could not be made, or none.
 */
#ifndef NN_PLAN_H
#define NN_PLAN_H

#include <oneapi/dnnl/dnnl.h>

#include "arena.h"
#include "graph.h"
#include "kernels/kernels.h"

enum { PLAN_MAX_ARGUMENTS = 12 };

/** What the time of a step is counted as. */
enum plan_kind { PLAN_CONV_FORWARD, PLAN_CONV_DATA, PLAN_CONV_WEIGHTS, PLAN_NORM, PLAN_OTHER, PLAN_KINDS };

/** How a convolution is computed: in order of preference where nothing is known of their speed. */
enum conv_way { CONV_DIRECT, CONV_ONEDNN_WINOGRAD, CONV_WINOGRAD, CONV_WAYS };

/** What a plan is made for. */
struct plan_setup {
  const struct dvt_host *host; /**< NULL: no choices are made, and none measured */
  const struct nn_graph *graph;
  float *const *values;     /**< by weight */
  float *const *gradients;  /**< by weight; NULL: those of weights are not wanted */
  uint32_t flags;           /**< enum dvt_pass_flags */
  uint32_t threads;         /**< how many may work at once, at least 1 */
  int64_t batch, capacity;  /**< capacity: the largest batch that this pass makes a plan for */
  bool half;                /**< maps are bfloat16 between layers; a dense plan has float32 all the same */
  double *seconds;          /**< [PLAN_KINDS], which the time of every step is added to; NULL: not counted */
  const enum conv_way *way; /**< of every convolution that it is possible for; NULL: the host chooses */
  bool dense;               /**< no layout is left open: all are dense */
  dnnl_engine_t engine;
};

/** The dense tensors of the caller, whose data is set before each run. */
enum plan_border { PLAN_INPUT, PLAN_OUTPUT, PLAN_OUTPUT_GRADIENT, PLAN_INPUT_GRADIENT, PLAN_BORDERS };

enum plan_phase { PLAN_REFRESH, PLAN_FORWARD, PLAN_BACKWARD, PLAN_PHASES };

struct plan_tensor {
  dnnl_memory_desc_t md;
  int buffer;  /**< in the arena; -1: in the host's memory */
  float *host; /**< that memory; NULL for borders */
  dnnl_memory_t memory;
};

struct plan_step;

/** Work of our own; the step's tensors are those that plan_task was given, in order. */
typedef void (*plan_work)(const struct plan *plan, const struct plan_step *step);

/** What a thread does of a step at a time. */
struct plan_part {
  int64_t number; /**< below the step's `parts` */
  struct images images;
  uint32_t thread; /**< below the setup's `threads`; one thread has no two parts at once */
};

/**
 * Work that is done image by image. Such steps that follow each other, in as many parts, are a group and run side by
 * side: a part of the images goes through all of them before the next one does, so that what one leaves is in the cache
 * when the next reads it.
 */
struct plan_parted {
  plan_work begin; /**< before the first part of the group, or NULL: of what the group makes it may read nothing */
  void (*run)(const struct plan *plan, const struct plan_step *step, const struct plan_part *part);
  plan_work finish; /**< after the last part of the group, or NULL */
  bool waits;       /**< is the first of a group: needs what steps before it finish, or would keep too much in use */
};

struct plan_step {
  const char *name; /**< of the layer */
  enum plan_kind kind;
  dnnl_primitive_t primitive; /**< NULL: the task, or what is parted */
  plan_work task;
  const struct plan_parted *parted;
  int64_t parts;              /**< that the images are divided in */
  const struct nn_node *node; /**< of a task, or NULL */
  dnnl_exec_arg_t arguments[PLAN_MAX_ARGUMENTS];
  int tensors[PLAN_MAX_ARGUMENTS];
  int count;
  bool for_input; /**< serves the gradient of the input alone */
};

struct plan_steps {
  struct plan_step *items;
  int count;
};

/** What a layer's forward keeps for its backward. */
struct plan_memo {
  dnnl_primitive_desc_t forward; /**< belongs to the plan */
  int mean, variance;            /**< batch norm */
};

struct plan {
  struct plan_setup setup;
  struct dvt_error error;
  struct plan_tensor *tensors;
  int tensor_count;
  struct arena arena;
  struct plan_steps phases[PLAN_PHASES];
  int *values;                        /**< by value: its tensor; -1: an input whose layout is open */
  int *gradients;                     /**< by value: the sum of the gradients so far, or -1 */
  struct plan_memo *memos;            /**< by node */
  dnnl_primitive_desc_t *descriptors; /**< all that were made, until the plan is done */
  int descriptor_count;
  dnnl_primitive_attr_t plain, add; /**< attributes: nothing; adds to what is there */
  enum plan_phase phase;            /**< that steps are being added to */
  int time;                         /**< of the next step */
  const char *name;                 /**< of the layer that adds it */
  enum plan_kind kind;              /**< of the steps that it adds */
  bool for_input;                   /**< see plan_toward */
  bool misfit;                      /**< some layer has no fast primitive for the layouts that the others like */
};

/**
 * Makes a plan and learns what memory it needs: plan->arena.size. Layouts are those that the primitives like best;
 * where these do not fit together, or oneDNN has nothing but reference code for one of them, all are dense float32. On
 * failure *plan is untouched. Freed by plan_free.
 */
int plan_new(const struct plan_setup *setup, struct plan **plan, struct dvt_error *error);
void plan_free(struct plan *plan);

/** Gives the plan its memory, aligned to 64 bytes; it stays the caller's, as long as the plan. */
int plan_place(struct plan *plan, void *memory, struct dvt_error *error);

/** Sets the data of a border tensor. */
int plan_set_border(struct plan *plan, enum plan_border border, void *data, struct dvt_error *error);

/** The number of the step after the group that begins with step `first`; one that is not parted is a group alone. */
int plan_group_end(const struct plan_steps *steps, int first);

/** Runs a phase; with `input_gradient` false without the steps that serve the gradient of the input alone. */
int plan_run(struct plan *plan, enum plan_phase phase, bool input_gradient, dnnl_stream_t stream,
             struct dvt_error *error);

/** Applies the statistics of the last forward run to the buffers. */
void plan_commit(struct plan *plan);

/** Says that oneDNN failed at something, and how. Returns the error's status. */
int plan_fail(const char *what, dnnl_status_t status, struct dvt_error *error);

/** True where oneDNN has arithmetic on bfloat16 for this processor; else we convert around it. */
bool plan_has_half_arithmetic(void);

#endif
