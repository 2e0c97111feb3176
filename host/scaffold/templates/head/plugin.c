/* SPDX-License-Identifier: MIT */
/* @NAME@, a head: one linear layer, logits = W · features. The host owns, initialises, trains and saves W; this file
 * says that it exists, and computes. See <dovetail/helpers/simple_module.h>; and <dovetail/module.h> for heads that
 * need more: memory of their own in each pass, buffers such as running statistics, threads. */
#include <dovetail/dovetail.h>
#include <dovetail/helpers/simple_module.h>

static int64_t features_of(const struct dvt_simple_module *m) { return m->input[0] * m->input[1] * m->input[2]; }

/* A head that does not take every shape says so here: return dvt_fail(error, DVT_ERROR_ARGUMENT, "what is wrong"). */
static int setup(struct dvt_simple_module *m, const struct dvt_module_config *config, struct dvt_error *error) {
  (void)error;
  m->output[0] = config->classes, m->output[1] = m->output[2] = 1;
  dvt_simple_add_weight(m, "fc.weight", config->classes, features_of(m), 0.01f);
  return DVT_OK;
}

static void forward(const struct dvt_simple_module *m, int64_t n, const float *x, float *y) {
  const int64_t features = features_of(m), classes = m->output[0];
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < classes; k++) {
      float sum = 0;
      for (int64_t f = 0; f < features; f++) sum += m->w[0][k * features + f] * x[i * features + f];
      y[i * classes + k] = sum;
    }
}

static void backward(const struct dvt_simple_module *m, int64_t n, const float *x, const float *dy, float *const *dw,
                     float *dx) {
  const int64_t features = features_of(m), classes = m->output[0];
  for (int64_t i = 0; dx && i < n * features; i++) dx[i] = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < classes; k++) {
      const float slope = dy[i * classes + k];
      for (int64_t f = 0; dw[0] && f < features; f++) dw[0][k * features + f] += slope * x[i * features + f];
      for (int64_t f = 0; dx && f < features; f++) dx[i * features + f] += slope * m->w[0][k * features + f];
    }
}

static int create(const struct dvt_value *values, void **module, struct dvt_error *error) {
  static const struct dvt_simple_functions functions = {setup, forward, backward};
  (void)values; /* a value for each row of the parameter table; this plugin has none */
  return dvt_simple_create(sizeof(struct dvt_simple_module), &functions, module, error);
}

static const struct dvt_module_ops ops = {DVT_SIMPLE_MODULE_OPS, .create = create};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
  DVT_PLUGIN_HEAD, .kind = DVT_KIND_HEAD, .name = "@NAME@", .version = "0.1.0",
  .description = "One linear layer over all features", .author = "you", .licence = "MIT", .ops = &ops};
