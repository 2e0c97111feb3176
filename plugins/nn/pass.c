/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "threads.h"

struct pass {
  struct nn_module *module;
  struct dvt_pass_config config; /* without the gradients */
  float **gradients;             /* by weight, or NULL */
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  struct plan *plan; /* for the batch that came last */
  void *memory;
  size_t memory_size;
  double seconds[PLAN_KINDS], operations; /* so far */
  uint64_t generation;                    /* of the values that the plan's packed weights were made from; 0: none */
  uint64_t statistics;                    /* likewise */
  bool forward_done;                      /* and no backward since */
};

static int check_config(const struct dvt_pass_config *config, struct dvt_error *error) {
  if (config->capacity < 1 || config->capacity > INT32_MAX || config->threads < 1 || config->threads > INT32_MAX)
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "a pass needs at least one example and one thread");
  return DVT_OK;
}

/* Without arithmetic on it, bfloat16 saves memory, not time. */
static bool takes_half(const struct pass *pass) {
  if (pass->config.precision == DVT_PRECISION_AUTO) return plan_has_half_arithmetic();
  return pass->config.precision == DVT_PRECISION_BFLOAT16;
}

static int make_memory(struct pass *pass, size_t size, struct dvt_error *error) {
  const struct dvt_host *host = pass->module->host;
  if (size <= pass->memory_size) return DVT_OK;
  host->release(host, pass->memory);
  pass->memory_size = 0;
  pass->memory = host->allocate(host, size);
  if (!pass->memory) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory: a pass needs %zu MB", size >> 20);
  pass->memory_size = size;
  return DVT_OK;
}

static void drop_plan(struct pass *pass) {
  plan_free(pass->plan);
  pass->plan = NULL;
  pass->generation = 0;
}

static int make_plan(struct pass *pass, int64_t batch, struct dvt_error *error) {
  const struct plan_setup setup = {.host = pass->module->host,
                                   .graph = pass->module->graph,
                                   .values = pass->module->values,
                                   .gradients = pass->gradients,
                                   .flags = pass->config.flags,
                                   .threads = pass->config.threads,
                                   .batch = batch,
                                   .capacity = pass->config.capacity,
                                   .half = takes_half(pass),
                                   .seconds = pass->seconds,
                                   .engine = pass->engine};
  if (pass->plan && pass->plan->setup.batch == batch) return DVT_OK;
  drop_plan(pass);
  int status = plan_new(&setup, &pass->plan, error);
  if (status == DVT_OK) status = make_memory(pass, pass->plan->arena.size, error);
  if (status == DVT_OK) status = plan_place(pass->plan, pass->memory, error);
  if (status != DVT_OK) drop_plan(pass);
  return status;
}

static int copy_gradients(struct pass *pass, float *const *gradients) {
  const size_t count = (size_t)pass->module->graph->weight_count;
  if (!gradients) return DVT_OK;
  pass->gradients = calloc(count + 1, sizeof *pass->gradients);
  if (!pass->gradients) return DVT_ERROR_MEMORY;
  memcpy(pass->gradients, gradients, count * sizeof *gradients);
  return DVT_OK;
}

int nn_pass_create(void *module, const struct dvt_pass_config *config, void **out, struct dvt_error *error) {
  int status = check_config(config, error);
  if (status != DVT_OK) return status;
  struct pass *pass = calloc(1, sizeof *pass);
  if (!pass) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  pass->module = module;
  pass->config = *config;
  pass->config.gradients = NULL;
  status = copy_gradients(pass, config->gradients);
  if (status == DVT_OK && (dnnl_engine_create(&pass->engine, dnnl_cpu, 0) != dnnl_success ||
                           dnnl_stream_create(&pass->stream, pass->engine, dnnl_stream_default_flags) != dnnl_success))
    status = DVT_ERROR_MEMORY;
  if (status != DVT_OK) {
    dvt_fail(error, status, "out of memory");
    goto cleanup;
  }
  threads_limit(config->threads);
  status = make_plan(pass, config->capacity, error);
  if (status != DVT_OK) goto cleanup;
  *out = pass;
  return DVT_OK;
cleanup:
  nn_pass_destroy(pass);
  return status;
}

void nn_pass_destroy(void *self) {
  struct pass *pass = self;
  if (!pass) return;
  plan_free(pass->plan);
  dnnl_stream_destroy(pass->stream);
  dnnl_engine_destroy(pass->engine);
  pass->module->host->release(pass->module->host, pass->memory);
  free(pass->gradients);
  free(pass);
}

/* Plans for evaluation fold running statistics into weights. */
static bool is_fresh(const struct pass *pass) {
  const bool folds = !(pass->config.flags & (DVT_PASS_BACKWARD | DVT_PASS_BATCH_STATISTICS));
  return pass->generation == pass->module->generation && (!folds || pass->statistics == pass->module->statistics);
}

static int refresh(struct pass *pass, struct dvt_error *error) {
  if (is_fresh(pass)) return DVT_OK;
  const int status = plan_run(pass->plan, PLAN_REFRESH, false, pass->stream, error);
  if (status != DVT_OK) return status;
  pass->generation = pass->module->generation;
  pass->statistics = pass->module->statistics;
  return DVT_OK;
}

int nn_pass_forward(void *self, const struct dvt_tensor *input, struct dvt_tensor *output, struct dvt_error *error) {
  struct pass *pass = self;
  const int64_t batch = input->shape[0];
  int status;
  pass->forward_done = false;
  if (batch < 1 || batch > pass->config.capacity)
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "a batch of %lld; the pass was made for 1 to %u", (long long)batch,
                    pass->config.capacity);
  threads_limit(pass->config.threads);
  if ((status = make_plan(pass, batch, error)) != DVT_OK ||
      (status = plan_set_border(pass->plan, PLAN_INPUT, input->data, error)) != DVT_OK ||
      (status = plan_set_border(pass->plan, PLAN_OUTPUT, output->data, error)) != DVT_OK ||
      (status = refresh(pass, error)) != DVT_OK ||
      (status = plan_run(pass->plan, PLAN_FORWARD, true, pass->stream, error)) != DVT_OK)
    return status;
  pass->forward_done = true;
  pass->operations += (double)batch * graph_operations(pass->module->graph, false);
  return DVT_OK;
}

int nn_pass_backward(void *self, const struct dvt_tensor *output_gradient, struct dvt_tensor *input_gradient,
                     struct dvt_error *error) {
  struct pass *pass = self;
  int status;
  if (!(pass->config.flags & DVT_PASS_BACKWARD) || !pass->forward_done)
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "backward without a forward of its own");
  pass->forward_done = false;
  threads_limit(pass->config.threads);
  if ((status = plan_set_border(pass->plan, PLAN_OUTPUT_GRADIENT, output_gradient->data, error)) != DVT_OK ||
      (input_gradient &&
       (status = plan_set_border(pass->plan, PLAN_INPUT_GRADIENT, input_gradient->data, error)) != DVT_OK))
    return status;
  const double batch = (double)pass->plan->setup.batch;
  const struct nn_graph *graph = pass->module->graph;
  pass->operations += batch * graph_operations(graph, !input_gradient);
  if (pass->gradients) pass->operations += batch * graph_operations(graph, false);
  return plan_run(pass->plan, PLAN_BACKWARD, input_gradient != NULL, pass->stream, error);
}

void nn_pass_commit(void *self) {
  struct pass *pass = self;
  if (!pass->plan || !(pass->config.flags & DVT_PASS_BATCH_STATISTICS)) return;
  plan_commit(pass->plan);
  pass->module->statistics++;
}

void nn_pass_times(const void *self, struct dvt_pass_times *times) {
  const struct pass *pass = self;
  times->forward = pass->seconds[PLAN_CONV_FORWARD];
  times->backward_data = pass->seconds[PLAN_CONV_DATA];
  times->backward_weights = pass->seconds[PLAN_CONV_WEIGHTS];
  times->norm = pass->seconds[PLAN_NORM];
  times->other = pass->seconds[PLAN_OTHER];
  times->operations = pass->operations;
}
