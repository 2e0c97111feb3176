/* SPDX-License-Identifier: MIT */
/** What a graph holds: for the plan, which turns it into primitives. */
#ifndef NN_GRAPH_H
#define NN_GRAPH_H

#include "nn.h"

struct plan;
struct nn_node;

/** A kind of layer. */
struct nn_layer {
  /** Add the layer's steps to a plan; errors are kept there. */
  void (*forward)(struct plan *plan, const struct nn_node *node);
  void (*backward)(struct plan *plan, const struct nn_node *node);
  /** Applies batch statistics to the buffers; NULL: has none. */
  void (*commit)(struct plan *plan, const struct nn_node *node);
};

extern const struct nn_layer nn_layer_conv, nn_layer_batch_norm, nn_layer_mean, nn_layer_linear;

enum { NODE_INPUTS = 2, NODE_WEIGHTS = 4 };

struct nn_node {
  const struct nn_layer *layer;
  char *name; /**< for messages, and the stem of its weights' names */
  int index;  /**< its own, in the graph */
  int inputs[NODE_INPUTS];
  int output;
  int weights[NODE_WEIGHTS]; /**< indices of weights, in the order that the layer gives them */
  int64_t kernel, stride;    /**< convolution; 1 of a linear layer, 0 of what multiplies nothing */
  float *constant;           /**< convolution: fixed weights instead of a weight; belongs to the node */
  bool relu;                 /**< batch norm */
};

struct nn_value {
  int64_t shape[3]; /**< C, H, W */
  bool flat;        /**< [n, C]: H and W are 1 */
  bool precise;     /**< float32 in every precision */
  bool trained;     /**< some parameter contributes to it */
};

struct nn_graph {
  struct nn_node *nodes;
  struct nn_value *values;
  struct dvt_weight *weights;
  int node_count, value_count, weight_count;
  int output;
  enum nn_initialisation initialisation; /**< of the convolutions to come */
  struct dvt_error error;                /**< the first thing that went wrong */
};

/** The node that reads a value, when it is the only one and the value is not the output; else NULL. */
const struct nn_node *graph_only_reader(const struct nn_graph *graph, int value);

/** The node that yields a value; NULL: the value is the input. */
const struct nn_node *graph_origin(const struct nn_graph *graph, int value);

/** Operations of the layers that multiply, for one image; `inner`: without those on the input of the graph. */
double graph_operations(const struct nn_graph *graph, bool inner);

#endif
