/* SPDX-License-Identifier: MIT */
/**
 * A backbone or head in a page: for modules that have at most eight weights, no buffers, and keep nothing from forward
 * to backward but their input. Such a plugin writes three functions and `create`, and takes the other operations here:
 *
 *     static const struct dvt_simple_functions functions = {setup, forward, backward};
 *
 *     static int create(const struct dvt_value *values, void **module, struct dvt_error *error) {
 *       return dvt_simple_create(sizeof(struct dvt_simple_module), &functions, module, error);
 *     }
 *
 *     static const struct dvt_module_ops ops = {DVT_SIMPLE_MODULE_OPS, .create = create};
 *
 * A module with more to remember begins its struct with a struct dvt_simple_module, gives the size of the whole, and
 * sets its own fields after dvt_simple_create. None of this is part of the ABI: it is compiled into the plugin.
 */
#ifndef DOVETAIL_HELPERS_SIMPLE_MODULE_H
#define DOVETAIL_HELPERS_SIMPLE_MODULE_H

#include <dovetail/module.h>
#include <stdlib.h>
#include <string.h>

#define DVT_SIMPLE_WEIGHTS 8

struct dvt_simple_module;

/** What the author writes. Images and features are dense [n, C, H, W], logits [n, classes]. */
struct dvt_simple_functions {
  /**
   * Sets output, weights with weight_count and, in a backbone, split. input is set; config lives until the call
   * returns. Fails with a message where the input has a shape that the module does not take.
   * [one & once, in init]
   */
  int (*setup)(struct dvt_simple_module *module, const struct dvt_module_config *config, struct dvt_error *error);

  /**
   * Computes the output y of n inputs x. The host owns both.
   * [any & after changed; calls for several batches may overlap]
   */
  void (*forward)(const struct dvt_simple_module *module, int64_t n, const float *x, float *y);

  /**
   * From the inputs x of the last forward and the gradient dy of a loss with respect to their outputs: adds that of
   * weight k to dw[k], and writes that of the inputs to dx; NULL: not wanted. The host owns all of them.
   * [any & after forward; calls for several batches may overlap]
   */
  void (*backward)(const struct dvt_simple_module *module, int64_t n, const float *x, const float *dy, float *const *dw,
                   float *dx);
};

struct dvt_simple_module {
  const struct dvt_simple_functions *functions;
  int64_t input[3];                   /**< C, H, W of what comes in */
  const float *w[DVT_SIMPLE_WEIGHTS]; /**< values of the weights, in the host's memory */
  int64_t output[3];                  /**< C, H, W of the features; of a head: classes, 1, 1 */
  struct dvt_weight weights[DVT_SIMPLE_WEIGHTS];
  uint32_t weight_count;
  struct dvt_split split; /**< of a backbone: its only one */
};

/** A batch on its way. */
struct dvt_simple_pass {
  const struct dvt_simple_module *module;
  const float *x;
  float *dw[DVT_SIMPLE_WEIGHTS];
};

/** Adds a trained matrix [rows, columns] that decays, drawn with mean 0 and a standard deviation; in setup. */
static inline void dvt_simple_add_weight(struct dvt_simple_module *module, const char *name, int64_t rows,
                                         int64_t columns, float deviation) {
  struct dvt_weight *weight = &module->weights[module->weight_count++];
  weight->struct_size = sizeof *weight;
  weight->role = DVT_WEIGHT_PARAMETER;
  weight->name = name;
  weight->rank = 2;
  weight->shape[0] = rows;
  weight->shape[1] = columns;
  weight->decays = 1;
  weight->initialiser = DVT_INIT_NORMAL;
  weight->init_value = deviation;
}

/** Names a backbone's only split, its output; in setup, after output is set. */
static inline void dvt_simple_set_split(struct dvt_simple_module *module, const char *name) {
  module->split.struct_size = sizeof module->split;
  module->split.name = name;
  memcpy(module->split.shape, module->output, sizeof module->split.shape);
}

/** For `create`: a module of `size` bytes, all zero but for the functions, which live as long as the plugin. */
static inline int dvt_simple_create(size_t size, const struct dvt_simple_functions *functions, void **module,
                                    struct dvt_error *error) {
  struct dvt_simple_module *made = (struct dvt_simple_module *)calloc(1, size);
  if (!made) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  made->functions = functions;
  *module = made;
  return DVT_OK;
}

/* The operations: see struct dvt_module_ops. */

static inline void dvt_simple_destroy(void *module) { free(module); }

static inline int dvt_simple_init(void *module, const struct dvt_host *host, const struct dvt_module_config *config,
                                  struct dvt_error *error) {
  struct dvt_simple_module *self = (struct dvt_simple_module *)module;
  int status;
  (void)host;
  memcpy(self->input, config->input, sizeof self->input);
  status = self->functions->setup(self, config, error);
  if (status == DVT_OK && self->split.name && config->split && strcmp(self->split.name, config->split) != 0)
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "no split '%s'; its only one is '%s'", config->split, self->split.name);
  return status;
}

static inline const struct dvt_split *dvt_simple_split(const void *module, uint32_t index) {
  const struct dvt_simple_module *self = (const struct dvt_simple_module *)module;
  return index == 0 && self->split.name ? &self->split : NULL;
}

static inline const struct dvt_weight *dvt_simple_weight(const void *module, uint32_t index) {
  const struct dvt_simple_module *self = (const struct dvt_simple_module *)module;
  return index < self->weight_count ? &self->weights[index] : NULL;
}

static inline void dvt_simple_output_shape(const void *module, int64_t shape[3]) {
  memcpy(shape, ((const struct dvt_simple_module *)module)->output, 3 * sizeof *shape);
}

static inline void dvt_simple_bind(void *module, float *const *values) {
  struct dvt_simple_module *self = (struct dvt_simple_module *)module;
  for (uint32_t k = 0; k < self->weight_count; k++) self->w[k] = values[k];
}

static inline void dvt_simple_changed(void *module) { (void)module; }

static inline int dvt_simple_pass_create(void *module, const struct dvt_pass_config *config, void **pass,
                                         struct dvt_error *error) {
  struct dvt_simple_pass *made;
  if (config->precision == DVT_PRECISION_BFLOAT16)
    return dvt_fail(error, DVT_ERROR_UNSUPPORTED, "it computes in float32 only, not in bfloat16");
  made = (struct dvt_simple_pass *)calloc(1, sizeof *made);
  if (!made) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  made->module = (const struct dvt_simple_module *)module;
  for (uint32_t k = 0; config->gradients && k < made->module->weight_count; k++) made->dw[k] = config->gradients[k];
  *pass = made;
  return DVT_OK;
}

static inline void dvt_simple_pass_destroy(void *pass) { free(pass); }

static inline int dvt_simple_forward(void *pass, const struct dvt_tensor *input, struct dvt_tensor *output,
                                     struct dvt_error *error) {
  struct dvt_simple_pass *self = (struct dvt_simple_pass *)pass;
  (void)error;
  self->x = (const float *)input->data; /* it stays as it is until backward has returned */
  self->module->functions->forward(self->module, input->shape[0], self->x, (float *)output->data);
  return DVT_OK;
}

static inline int dvt_simple_backward(void *pass, const struct dvt_tensor *output_gradient,
                                      struct dvt_tensor *input_gradient, struct dvt_error *error) {
  const struct dvt_simple_pass *self = (const struct dvt_simple_pass *)pass;
  (void)error;
  self->module->functions->backward(self->module, output_gradient->shape[0], self->x,
                                    (const float *)output_gradient->data, self->dw,
                                    input_gradient ? (float *)input_gradient->data : NULL);
  return DVT_OK;
}

/** The first fields of dvt_module_ops; the author adds .create. */
#define DVT_SIMPLE_MODULE_OPS                                                                                          \
  .struct_size = sizeof(struct dvt_module_ops), .destroy = dvt_simple_destroy, .init = dvt_simple_init,                \
  .split = dvt_simple_split, .weight = dvt_simple_weight, .output_shape = dvt_simple_output_shape,                     \
  .bind = dvt_simple_bind, .changed = dvt_simple_changed, .pass_create = dvt_simple_pass_create,                       \
  .pass_destroy = dvt_simple_pass_destroy, .forward = dvt_simple_forward, .backward = dvt_simple_backward

#endif
