/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

static int fail(struct nn_graph *graph, int status, const char *name, const char *what) {
  if (graph->error.status == DVT_OK) dvt_fail(&graph->error, status, "%s: %s", name, what);
  return -1;
}

static int add_value(struct nn_graph *graph, struct nn_value value, const char *name) {
  struct nn_value *values = array_room(graph->values, (size_t)graph->value_count, sizeof *values);
  if (!values) return fail(graph, DVT_ERROR_MEMORY, name, "out of memory");
  graph->values = values;
  values[graph->value_count] = value;
  return graph->value_count++;
}

struct nn_graph *nn_graph_new(const int64_t shape[3]) {
  struct nn_graph *graph = calloc(1, sizeof *graph);
  if (!graph) return NULL;
  graph->error = (struct dvt_error)DVT_ERROR_INIT;
  graph->output = -1;
  add_value(graph, (struct nn_value){.shape = {shape[0], shape[1], shape[2]}}, "input");
  for (int axis = 0; axis < 3; axis++)
    if (shape[axis] < 1 || shape[axis] > INT32_MAX) fail(graph, DVT_ERROR_ARGUMENT, "input", "impossible shape");
  return graph;
}

void nn_graph_free(struct nn_graph *graph) {
  if (!graph) return;
  for (int k = 0; k < graph->node_count; k++) {
    free(graph->nodes[k].name);
    free(graph->nodes[k].constant);
  }
  for (int k = 0; k < graph->weight_count; k++) free((char *)graph->weights[k].name);
  free(graph->nodes);
  free(graph->values);
  free(graph->weights);
  free(graph);
}

/* NULL when something went wrong, now or before. */
static struct nn_node *add_node(struct nn_graph *graph, const struct nn_layer *layer, const char *name, int a, int b,
                                struct nn_value output) {
  if (graph->error.status != DVT_OK) return NULL;
  struct nn_node *nodes = array_room(graph->nodes, (size_t)graph->node_count, sizeof *nodes);
  if (nodes) graph->nodes = nodes;
  char *copy = strdup(name);
  const int value = nodes && copy ? add_value(graph, output, name) : -1;
  if (value < 0) {
    free(copy);
    fail(graph, DVT_ERROR_MEMORY, name, "out of memory");
    return NULL;
  }
  nodes[graph->node_count] = (struct nn_node){.layer = layer,
                                              .name = copy,
                                              .index = graph->node_count,
                                              .inputs = {a, b},
                                              .output = value,
                                              .weights = {-1, -1, -1, -1}};
  return &nodes[graph->node_count++];
}

/* Adds weight NODE.suffix as described by `weight`, whose name is not set yet. */
static void add_weight(struct nn_graph *graph, struct nn_node *node, int slot, const char *suffix,
                       struct dvt_weight weight) {
  if (graph->error.status != DVT_OK) return;
  struct dvt_weight *weights = array_room(graph->weights, (size_t)graph->weight_count, sizeof *weights);
  if (weights) graph->weights = weights;
  const size_t stem = strlen(node->name);
  char *name = malloc(stem + strlen(suffix) + 2);
  if (!weights || !name) {
    free(name);
    fail(graph, DVT_ERROR_MEMORY, node->name, "out of memory");
    return;
  }
  memcpy(name, node->name, stem); /* snprintf alone took a third of the time to describe a network */
  name[stem] = '.';
  strcpy(name + stem + 1, suffix);
  weight.struct_size = sizeof weight;
  weight.name = name;
  if (weight.role == DVT_WEIGHT_PARAMETER) {
    weight.decays = 1;
    graph->values[node->output].trained = true;
  }
  weights[graph->weight_count] = weight;
  node->weights[slot] = graph->weight_count++;
}

/* What a value of `shape` becomes by a convolution with a padding of half its kernel. */
static struct nn_value convolved(const struct nn_graph *graph, int value, int64_t channels, int64_t stride) {
  if (value < 0) return (struct nn_value){0};
  const struct nn_value *in = &graph->values[value];
  return (struct nn_value){.shape = {channels, (in->shape[1] - 1) / stride + 1, (in->shape[2] - 1) / stride + 1},
                           .trained = in->trained};
}

void nn_initialisation(struct nn_graph *graph, enum nn_initialisation initialisation) {
  graph->initialisation = initialisation;
}

static struct dvt_weight parameter(enum nn_initialisation initialisation, int64_t fan_in, int64_t fan_out) {
  struct dvt_weight weight = {.role = DVT_WEIGHT_PARAMETER};
  if (initialisation == NN_HE) {
    weight.initialiser = DVT_INIT_NORMAL;
    weight.init_value = (float)sqrt(2.0 / (double)fan_out);
  } else {
    weight.initialiser = DVT_INIT_UNIFORM;
    weight.init_value = (float)sqrt(1.0 / (double)fan_in);
  }
  return weight;
}

int nn_conv(struct nn_graph *graph, int value, const char *name, int64_t channels, int64_t kernel, int64_t stride) {
  struct nn_node *node = add_node(graph, &nn_layer_conv, name, value, -1, convolved(graph, value, channels, stride));
  if (!node) return -1;
  node->kernel = kernel;
  node->stride = stride;
  const int64_t area = kernel * kernel, from = graph->values[value].shape[0];
  struct dvt_weight weight = parameter(graph->initialisation, from * area, channels * area);
  weight.rank = 4;
  weight.shape[0] = channels;
  weight.shape[1] = from;
  weight.shape[2] = weight.shape[3] = kernel;
  add_weight(graph, node, 0, "weight", weight);
  return node->output;
}

int nn_subsample_pad(struct nn_graph *graph, int value, const char *name, int64_t channels) {
  struct nn_node *node = add_node(graph, &nn_layer_conv, name, value, -1, convolved(graph, value, channels, 2));
  if (!node) return -1;
  const int64_t from = graph->values[value].shape[0], before = (channels - from) / 2;
  if (channels < from) return fail(graph, DVT_ERROR_ARGUMENT, name, "fewer channels than before");
  node->kernel = 1;
  node->stride = 2;
  node->constant = calloc((size_t)(channels * from), sizeof(float));
  if (!node->constant) return fail(graph, DVT_ERROR_MEMORY, name, "out of memory");
  for (int64_t k = 0; k < from; k++) node->constant[(before + k) * from + k] = 1.0f;
  return node->output;
}

static int add_batch_norm(struct nn_graph *graph, int value, const char *name, int addend, bool relu) {
  static const struct {
    const char *suffix;
    uint32_t role;
    float initial;
  } parts[NODE_WEIGHTS] = {{"weight", DVT_WEIGHT_PARAMETER, 1.0f},
                           {"bias", DVT_WEIGHT_PARAMETER, 0.0f},
                           {"running_mean", DVT_WEIGHT_BUFFER, 0.0f},
                           {"running_var", DVT_WEIGHT_BUFFER, 1.0f}};
  struct nn_node *node = add_node(graph, &nn_layer_batch_norm, name, value, addend, graph->values[value]);
  if (!node) return -1;
  node->relu = relu;
  for (int k = 0; k < NODE_WEIGHTS; k++)
    add_weight(graph, node, k, parts[k].suffix,
               (struct dvt_weight){.role = parts[k].role,
                                   .rank = 1,
                                   .shape = {graph->values[value].shape[0]},
                                   .initialiser = DVT_INIT_CONSTANT,
                                   .init_value = parts[k].initial});
  return node->output;
}

int nn_batch_norm(struct nn_graph *graph, int value, const char *name, bool relu) {
  return value < 0 ? -1 : add_batch_norm(graph, value, name, -1, relu);
}

int nn_batch_norm_add_relu(struct nn_graph *graph, int value, const char *name, int addend) {
  if (value < 0 || addend < 0) return -1;
  const struct nn_value *first = &graph->values[value], *second = &graph->values[addend];
  if (memcmp(first->shape, second->shape, sizeof first->shape))
    return fail(graph, DVT_ERROR_ARGUMENT, name, "a sum of two values of different shapes");
  return add_batch_norm(graph, value, name, addend, true);
}

int nn_global_mean(struct nn_graph *graph, int value, const char *name) {
  if (value < 0) return -1;
  const struct nn_value *in = &graph->values[value];
  if (in->shape[1] == 1 && in->shape[2] == 1 && (in->precise || value == NN_INPUT)) return value;
  const struct nn_value mean = {.shape = {in->shape[0], 1, 1}, .precise = true, .trained = in->trained};
  const struct nn_node *node = add_node(graph, &nn_layer_mean, name, value, -1, mean);
  return node ? node->output : -1;
}

int nn_linear(struct nn_graph *graph, int value, const char *name, int64_t classes) {
  if (value < 0) return -1;
  const int64_t *shape = graph->values[value].shape, channels = shape[0];
  if (shape[1] != 1 || shape[2] != 1)
    return fail(graph, DVT_ERROR_ARGUMENT, name, "a linear layer takes one value a channel, not a map");
  struct nn_node *node = add_node(graph, &nn_layer_linear, name, value, -1,
                                  (struct nn_value){.shape = {classes, 1, 1}, .flat = true, .precise = true});
  if (!node) return -1;
  node->kernel = node->stride = 1;
  struct dvt_weight weight = parameter(NN_UNIFORM, channels, classes), bias = weight;
  weight.rank = 2;
  weight.shape[0] = bias.shape[0] = classes;
  weight.shape[1] = channels;
  bias.rank = 1;
  add_weight(graph, node, 0, "weight", weight);
  add_weight(graph, node, 1, "bias", bias);
  return node->output;
}

void nn_output(struct nn_graph *graph, int value) { graph->output = value; }

void nn_shape(const struct nn_graph *graph, int value, int64_t shape[3]) {
  for (int axis = 0; axis < 3; axis++) shape[axis] = value < 0 ? 0 : graph->values[value].shape[axis];
}

const struct nn_node *graph_only_reader(const struct nn_graph *graph, int value) {
  const struct nn_node *reader = NULL;
  if (value == graph->output) return NULL;
  for (int k = 0; k < graph->node_count; k++)
    for (int i = 0; i < NODE_INPUTS; i++) {
      if (graph->nodes[k].inputs[i] != value) continue;
      if (reader) return NULL;
      reader = &graph->nodes[k];
    }
  return reader;
}

const struct nn_node *graph_origin(const struct nn_graph *graph, int value) {
  for (int k = 0; k < graph->node_count; k++)
    if (graph->nodes[k].output == value) return &graph->nodes[k];
  return NULL;
}

double graph_operations(const struct nn_graph *graph, bool inner) {
  double sum = 0;
  for (int k = 0; k < graph->node_count; k++) {
    const struct nn_node *node = &graph->nodes[k];
    const int64_t *from = graph->values[node->inputs[0]].shape, *to = graph->values[node->output].shape;
    if (!node->kernel || node->constant || (inner && node->inputs[0] == NN_INPUT)) continue;
    sum += 2.0 * (double)(to[0] * to[1] * to[2]) * (double)(from[0] * node->kernel * node->kernel);
  }
  return sum;
}
