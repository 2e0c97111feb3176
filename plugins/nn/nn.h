/* SPDX-License-Identifier: MIT */
/**
 * Modules made of layers, over oneDNN. A plugin builds a graph of layers once, in `init`; everything that the plugin
 * ABI asks of a module from then on is here. A plugin's own struct begins with a struct nn_module, and its table of
 * operations takes NN_MODULE_OPS.
 */
#ifndef NN_NN_H
#define NN_NN_H

#include <dovetail/module.h>
#include <stdbool.h>

/**
 * Layers that feed each other, each with its weights under their PyTorch names. The building functions name the value
 * that a layer yields by a number, and take such numbers; value 0 is the input. What goes wrong (no memory, shapes that
 * do not fit) is kept: everything after it does nothing, and nn_module_init reports it.
 */
struct nn_graph;

enum { NN_INPUT = 0 };

/** A graph whose input is [n, C, H, W] with shape = {C, H, W}; NULL when there is no memory. Freed by nn_graph_free. */
struct nn_graph *nn_graph_new(const int64_t shape[3]);
void nn_graph_free(struct nn_graph *graph);

/** How weights begin; the fans count inputs and outputs of a value, times the area of the kernel. */
enum nn_initialisation {
  NN_HE,      /**< normal, deviation sqrt(2 / fan-out): He et al., "Delving deep into rectifiers" (2015), equation 14 */
  NN_UNIFORM, /**< within 1 / sqrt(fan-in): the heuristic of Glorot and Bengio (2010), equation 1; PyTorch's default */
};

/** Sets how the convolutions added from now on begin; NN_HE in a new graph. */
void nn_initialisation(struct nn_graph *graph, enum nn_initialisation initialisation);

/** Convolution without bias, odd square kernel, padded by kernel / 2: weight NAME.weight. */
int nn_conv(struct nn_graph *graph, int value, const char *name, int64_t channels, int64_t kernel, int64_t stride);

/** Batch norm, with ReLU after it where `relu`: NAME.weight, .bias, and the buffers .running_mean, .running_var. */
int nn_batch_norm(struct nn_graph *graph, int value, const char *name, bool relu);

/** ReLU of the sum of a batch norm, as above, and another value of the same shape. */
int nn_batch_norm_add_relu(struct nn_graph *graph, int value, const char *name, int addend);

/** Every other row and column, and zeros for the channels that are new: half of them before the old ones. */
int nn_subsample_pad(struct nn_graph *graph, int value, const char *name, int64_t channels);

/** Mean over the map: [C, 1, 1]. */
int nn_global_mean(struct nn_graph *graph, int value, const char *name);

/** Linear layer on a value of [C, 1, 1]: NAME.weight, NAME.bias, both NN_UNIFORM. The value is [classes, 1, 1]. */
int nn_linear(struct nn_graph *graph, int value, const char *name, int64_t classes);

/** Says which value is the output. */
void nn_output(struct nn_graph *graph, int value);

/** C, H, W of a value; zeros once something went wrong. */
void nn_shape(const struct nn_graph *graph, int value, int64_t shape[3]);

struct nn_module {
  const struct dvt_host *host;
  struct nn_graph *graph;
  float **values;      /**< by weight; they belong to the host */
  uint64_t generation; /**< how often the values changed */
  uint64_t statistics; /**< how often the running statistics did */
};

/** For `init`: takes the graph (NULL: no memory), also on failure. Fails when building it failed. */
int nn_module_init(struct nn_module *module, const struct dvt_host *host, struct nn_graph *graph,
                   struct dvt_error *error);

/** For `destroy`: frees what the module holds, not *module. */
void nn_module_finish(struct nn_module *module);

/** The rest of struct dvt_module_ops, whose `module` must point to a struct nn_module. */
const struct dvt_weight *nn_module_weight(const void *module, uint32_t index);
void nn_module_output_shape(const void *module, int64_t shape[3]);
void nn_module_bind(void *module, float *const *values);
void nn_module_changed(void *module);
int nn_pass_create(void *module, const struct dvt_pass_config *config, void **pass, struct dvt_error *error);
void nn_pass_destroy(void *pass);
int nn_pass_forward(void *pass, const struct dvt_tensor *input, struct dvt_tensor *output, struct dvt_error *error);
int nn_pass_backward(void *pass, const struct dvt_tensor *output_gradient, struct dvt_tensor *input_gradient,
                     struct dvt_error *error);
void nn_pass_commit(void *pass);
void nn_pass_times(const void *pass, struct dvt_pass_times *times);

#define NN_MODULE_OPS                                                                                                  \
  .struct_size = sizeof(struct dvt_module_ops), .weight = nn_module_weight, .output_shape = nn_module_output_shape,    \
  .bind = nn_module_bind, .changed = nn_module_changed, .pass_create = nn_pass_create,                                 \
  .pass_destroy = nn_pass_destroy, .forward = nn_pass_forward, .backward = nn_pass_backward, .commit = nn_pass_commit, \
  .times = nn_pass_times

#endif
