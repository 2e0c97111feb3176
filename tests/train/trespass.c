/* SPDX-License-Identifier: MIT */
/* Plugins that go wrong at the border, for tests/cli/test_border.py: an aligner and a head, each in the way that its
 * parameter `fault` tells, at step or batch number `at`. */
#include <dovetail/dovetail.h>
#include <dovetail/helpers/simple_module.h>
#include <math.h>
#include <stdlib.h>

static const char *const faults[] = {"none", "nan", "behind", "before", "shape", "memory", "weight", "logits", NULL};

static const struct dvt_param params[] = {
    {"fault", DVT_TYPE_STRING, 0, "none", 0, 0, faults, NULL, "what it does wrong"},
    {"at", DVT_TYPE_INT, 0, "0", 0, 1000, NULL, "steps", "when it does so"},
};

/* Does wrong to a tensor, in the way of a parameter's value. */
static void trespass(const char *fault, struct dvt_tensor *tensor) {
  float *data = tensor->data;
  const int64_t count = dvt_tensor_count(tensor);
  if (!strcmp(fault, "nan")) data[count / 2] = NAN;
  if (!strcmp(fault, "behind")) data[count] = 1;
  if (!strcmp(fault, "before")) data[-1] = 1;
  if (!strcmp(fault, "shape")) tensor->shape[1]++;
  if (!strcmp(fault, "memory")) tensor->data = data + 1;
}

/* The aligner */

struct aligner {
  const char *fault;
  uint64_t at;
};

static const char *keep(const char *fault) {
  uint32_t k = 0;
  while (strcmp(faults[k], fault)) k++;
  return faults[k];
}

static int create_aligner(const struct dvt_value *values, void **aligner, struct dvt_error *error) {
  struct aligner *made = malloc(sizeof *made);
  if (!made) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  *made = (struct aligner){keep(values[0].string), (uint64_t)values[1].integer};
  *aligner = made;
  return DVT_OK;
}

static void destroy_aligner(void *aligner) { free(aligner); }

static int init_aligner(void *aligner, const struct dvt_aligner_host *host, const struct dvt_network *const *networks,
                        uint32_t count, struct dvt_error *error) {
  (void)aligner, (void)host, (void)networks, (void)count, (void)error;
  return DVT_OK;
}

static int feature_loss(void *aligner, const struct dvt_batch *batch, const struct dvt_tensor *features,
                        struct dvt_tensor *gradient, double *loss, struct dvt_error *error) {
  const struct aligner *self = aligner;
  (void)features, (void)error;
  *loss = 0;
  if (batch->step == self->at) trespass(self->fault, gradient);
  return DVT_OK;
}

static const struct dvt_aligner_ops aligner_ops = {
    .struct_size = sizeof aligner_ops,
    .create = create_aligner,
    .destroy = destroy_aligner,
    .init = init_aligner,
    .feature_loss = feature_loss,
};

/* The head: logits are the first features. */

struct head {
  struct dvt_simple_module module;
  const char *fault;
};

static int setup(struct dvt_simple_module *module, const struct dvt_module_config *config, struct dvt_error *error) {
  (void)error;
  module->output[0] = config->classes + !strcmp(((const struct head *)module)->fault, "logits");
  module->output[1] = module->output[2] = 1;
  dvt_simple_add_weight(module, "fc.weight", config->classes, 3, 0.1f);
  return DVT_OK;
}

static int64_t inputs(const struct dvt_simple_module *module) {
  return module->input[0] * module->input[1] * module->input[2];
}

static void forward(const struct dvt_simple_module *module, int64_t n, const float *x, float *y) {
  const int64_t classes = module->output[0];
  for (int64_t i = 0; i < n; i++) memcpy(y + i * classes, x + i * inputs(module), (size_t)classes * sizeof *y);
}

static void backward(const struct dvt_simple_module *module, int64_t n, const float *x, const float *dy,
                     float *const *dw, float *dx) {
  const int64_t classes = module->output[0];
  (void)x;
  if (dw[0] && !strcmp(((const struct head *)module)->fault, "weight")) dw[0][classes * 3] += 1;
  memset(dx, 0, (size_t)(n * inputs(module)) * sizeof *dx);
  for (int64_t i = 0; i < n; i++) memcpy(dx + i * inputs(module), dy + i * classes, (size_t)classes * sizeof *dx);
}

static int create_head(const struct dvt_value *values, void **module, struct dvt_error *error) {
  static const struct dvt_simple_functions functions = {setup, forward, backward};
  const int status = dvt_simple_create(sizeof(struct head), &functions, module, error);
  if (status == DVT_OK) ((struct head *)*module)->fault = keep(values[0].string);
  return status;
}

static int forward_and_trespass(void *pass, const struct dvt_tensor *input, struct dvt_tensor *output,
                                struct dvt_error *error) {
  const int status = dvt_simple_forward(pass, input, output, error);
  trespass(((const struct head *)((struct dvt_simple_pass *)pass)->module)->fault, output);
  return status;
}

static const struct dvt_module_ops head_ops = {
    .struct_size = sizeof head_ops,
    .create = create_head,
    .destroy = dvt_simple_destroy,
    .init = dvt_simple_init,
    .weight = dvt_simple_weight,
    .output_shape = dvt_simple_output_shape,
    .bind = dvt_simple_bind,
    .changed = dvt_simple_changed,
    .pass_create = dvt_simple_pass_create,
    .pass_destroy = dvt_simple_pass_destroy,
    .forward = forward_and_trespass,
    .backward = dvt_simple_backward,
};

static const struct dvt_plugin head_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_HEAD,
    .name = "trespass",
    .version = "1.0.0",
    .description = "Goes wrong at the border of a head",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(params),
    .ops = &head_ops,
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_ALIGNER,
    .name = "trespass",
    .version = "1.0.0",
    .description = "Goes wrong at the border of an aligner",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(params),
    .ops = &aligner_ops,
    .next = &head_plugin,
};
