/* SPDX-License-Identifier: MIT */
/*
 * Each way is measured in a plan of its own, for a graph of this one convolution, in the layouts that it would have in
 * the network. The plans live as long as the host's question.
 */
#include <string.h>

#include "conv.h"

static const char *const way_names[CONV_WAYS] = {"direct", "onednn-winograd", "winograd"};
static const char *const direction_names[] = {"forward", "backward-data", "backward-weights"};
static const enum plan_kind kinds[] = {PLAN_CONV_FORWARD, PLAN_CONV_DATA, PLAN_CONV_WEIGHTS};

enum { KEY = 224 };

/* What a convolution's speed depends on. */
static void write_key(const struct plan *plan, const struct nn_node *node, enum conv_direction direction,
                      char key[KEY]) {
  const struct nn_value *values = plan->setup.graph->values;
  const int64_t *from = values[node->inputs[0]].shape, *to = values[node->output].shape;
  const dnnl_version_t *version = dnnl_version();
  snprintf(key, KEY,
           "convolution %s, %s, %s, %lld images of %lldx%lldx%lld to %lld, kernel %lld, stride %lld, threads %u%s, "
           "oneDNN %d.%d.%d isa %#x, dovetail " DOVETAIL_VERSION " %s",
           direction_names[direction], plan->setup.flags & DVT_PASS_BACKWARD ? "training" : "evaluation",
           plan->setup.half ? "bfloat16" : "float32", (long long)plan->setup.capacity, (long long)from[0],
           (long long)from[1], (long long)from[2], (long long)to[0], (long long)node->kernel, (long long)node->stride,
           plan->setup.threads, plan->setup.dense ? ", dense" : "", version->major, version->minor, version->patch,
           (unsigned)dnnl_get_effective_cpu_isa(), kernels_choose(1)->name);
}

/* One way of one convolution. */
struct trial {
  struct plan *plan;
  void *memory, *borders[PLAN_BORDERS];
  dnnl_stream_t stream;
  double seconds[PLAN_KINDS];
  bool failed;
};

struct measurement {
  const struct plan *plan;
  const struct nn_node *node;
  enum conv_direction direction;
  enum conv_way ways[CONV_WAYS];
  struct nn_graph *graph;
  float *values[1], *gradients[1];
  struct trial trials[CONV_WAYS];
};

static void *make_zeros(const struct plan *plan, size_t size) {
  const struct dvt_host *host = plan->setup.host;
  char *memory = host->allocate(host, size);
  if (memory) memset(memory, 0, size);
  return memory;
}

static size_t value_size(const struct plan *plan, int value) {
  const int64_t *shape = plan->setup.graph->values[value].shape;
  return (size_t)(plan->setup.capacity * shape[0] * shape[1] * shape[2]) * sizeof(float);
}

static bool make_trial(struct measurement *measurement, struct trial *trial, const enum conv_way *way) {
  const struct nn_node *node = measurement->node;
  const struct plan *plan = measurement->plan;
  struct dvt_error error = DVT_ERROR_INIT;
  struct plan_setup setup = plan->setup;
  setup.graph = measurement->graph;
  setup.values = measurement->values;
  setup.gradients = setup.gradients ? measurement->gradients : NULL;
  setup.batch = setup.capacity;
  setup.seconds = trial->seconds;
  setup.way = way;
  if (plan_new(&setup, &trial->plan, &error) != DVT_OK) return false;
  trial->memory = make_zeros(plan, trial->plan->arena.size);
  const int of[PLAN_BORDERS] = {[PLAN_INPUT] = node->inputs[0],
                                [PLAN_OUTPUT] = node->output,
                                [PLAN_OUTPUT_GRADIENT] = node->output,
                                [PLAN_INPUT_GRADIENT] = node->inputs[0]};
  if (!trial->memory || plan_place(trial->plan, trial->memory, &error) != DVT_OK) return false;
  for (int k = 0; k < PLAN_BORDERS; k++) {
    trial->borders[k] = make_zeros(plan, value_size(plan, of[k]));
    if (!trial->borders[k] || plan_set_border(trial->plan, k, trial->borders[k], &error) != DVT_OK) return false;
  }
  return dnnl_stream_create(&trial->stream, setup.engine, dnnl_stream_default_flags) == dnnl_success;
}

static bool run_trial(struct trial *trial) {
  struct dvt_error error = DVT_ERROR_INIT;
  const int phases = trial->plan->setup.flags & DVT_PASS_BACKWARD ? PLAN_PHASES : PLAN_BACKWARD;
  for (int phase = 0; phase < phases; phase++)
    if (plan_run(trial->plan, phase, true, trial->stream, &error) != DVT_OK) return false;
  return true;
}

/* As the host asks; the first run of a trial only warms up. */
static double measure(void *data, uint32_t number) {
  struct measurement *measurement = data;
  struct trial *trial = &measurement->trials[number];
  if (!trial->plan && !trial->failed)
    trial->failed = !make_trial(measurement, trial, &measurement->ways[number]) || !run_trial(trial);
  if (trial->failed) return -1.0;
  double *seconds = &trial->seconds[kinds[measurement->direction]];
  *seconds = 0.0;
  return run_trial(trial) ? *seconds : -1.0;
}

static bool measurement_init(struct measurement *measurement) {
  const struct nn_node *node = measurement->node;
  const struct nn_value *values = measurement->plan->setup.graph->values;
  const int64_t channels = values[node->output].shape[0], from = values[node->inputs[0]].shape[0];
  const size_t size = (size_t)(channels * from * node->kernel * node->kernel) * sizeof(float);
  measurement->graph = nn_graph_new(values[node->inputs[0]].shape);
  if (!measurement->graph) return false;
  nn_output(measurement->graph,
            nn_conv(measurement->graph, NN_INPUT, node->name, channels, node->kernel, node->stride));
  measurement->values[0] = make_zeros(measurement->plan, size);
  measurement->gradients[0] = make_zeros(measurement->plan, size);
  return measurement->graph->error.status == DVT_OK && measurement->values[0] && measurement->gradients[0];
}

static void measurement_finish(struct measurement *measurement) {
  const struct dvt_host *host = measurement->plan->setup.host;
  for (int k = 0; k < CONV_WAYS; k++) {
    struct trial *trial = &measurement->trials[k];
    plan_free(trial->plan);
    dnnl_stream_destroy(trial->stream);
    host->release(host, trial->memory);
    for (int border = 0; border < PLAN_BORDERS; border++) host->release(host, trial->borders[border]);
  }
  host->release(host, measurement->values[0]);
  host->release(host, measurement->gradients[0]);
  nn_graph_free(measurement->graph);
}

enum conv_way conv_choose(struct plan *plan, const struct nn_node *node, enum conv_direction direction,
                          const bool possible[CONV_WAYS]) {
  const struct dvt_host *host = plan->setup.host;
  struct measurement measurement = {.plan = plan, .node = node, .direction = direction};
  const char *names[CONV_WAYS];
  uint32_t count = 0, chosen = 0;
  if (plan->setup.way) return possible[*plan->setup.way] ? *plan->setup.way : CONV_DIRECT;
  for (enum conv_way way = 0; way < CONV_WAYS; way++)
    if (possible[way]) measurement.ways[count] = way, names[count++] = way_names[way];
  if (count < 2 || plan->error.status != DVT_OK || !host || !DVT_HAS(host, choose)) return CONV_DIRECT;
  char key[KEY];
  write_key(plan, node, direction, key);
  if (measurement_init(&measurement)) chosen = host->choose(host, key, count, names, measure, &measurement);
  measurement_finish(&measurement);
  return chosen < count ? measurement.ways[chosen] : CONV_DIRECT;
}
