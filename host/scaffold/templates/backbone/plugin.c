/* SPDX-License-Identifier: MIT */
/* @NAME@, a backbone: features = max(0, W · patch) of patches of 4 x 4 pixels. The host owns and trains W; this file
 * says that it exists, and computes. See <dovetail/helpers/simple_module.h>; and <dovetail/module.h> for backbones
 * with several splits, memory of their own in each pass, buffers, threads. */
#include <dovetail/dovetail.h>
#include <dovetail/helpers/simple_module.h>

enum { SIDE = 4, WIDTH = 32 }; /* pixels of a patch; channels of the features */
static int setup(struct dvt_simple_module *m, const struct dvt_module_config *config, struct dvt_error *error) {
  const int64_t *image = config->input; /* C, H, W */
  if (image[1] % SIDE || image[2] % SIDE)
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "height and width of an image must be multiples of %d", SIDE);
  m->output[0] = WIDTH, m->output[1] = image[1] / SIDE, m->output[2] = image[2] / SIDE;
  dvt_simple_add_weight(m, "patch.weight", WIDTH, image[0] * SIDE * SIDE, 0.1f);
  dvt_simple_set_split(m, "patches");
  return DVT_OK;
}

/* Where in an image element t of the patch at a position of the features is. */
static int64_t pixel(const struct dvt_simple_module *m, int64_t position, int64_t t) {
  const int64_t y = position / m->output[2] * SIDE + t / SIDE % SIDE, x = position % m->output[2] * SIDE + t % SIDE;
  return (t / (SIDE * SIDE) * m->input[1] + y) * m->input[2] + x;
}

/* Both directions, over every feature of n images; what is not wanted is NULL. y and dy are [n, WIDTH, positions]. */
static void walk(const struct dvt_simple_module *m, int64_t n, const float *x, float *y, const float *dy, float *dw,
                 float *dx) {
  const int64_t positions = m->output[1] * m->output[2], size = m->weights[0].shape[1];
  const int64_t image = m->input[0] * m->input[1] * m->input[2];
  for (int64_t at = 0; at < n * WIDTH * positions; at++) {
    const int64_t i = at / (WIDTH * positions), row = at / positions % WIDTH * size, position = at % positions;
    float sum = 0;
    for (int64_t t = 0; t < size; t++) sum += m->w[0][row + t] * x[i * image + pixel(m, position, t)];
    if (y) y[at] = sum > 0 ? sum : 0;
    const float slope = dy && sum > 0 ? dy[at] : 0;
    for (int64_t t = 0; dw && t < size; t++) dw[row + t] += slope * x[i * image + pixel(m, position, t)];
    for (int64_t t = 0; dx && t < size; t++) dx[i * image + pixel(m, position, t)] += slope * m->w[0][row + t];
  }
}

static void forward(const struct dvt_simple_module *m, int64_t n, const float *x, float *y) {
  walk(m, n, x, y, NULL, NULL, NULL);
}

static void backward(const struct dvt_simple_module *m, int64_t n, const float *x, const float *dy, float *const *dw,
                     float *dx) {
  if (dx) memset(dx, 0, (size_t)(n * m->input[0] * m->input[1] * m->input[2]) * sizeof *dx);
  walk(m, n, x, NULL, dy, dw[0], dx);
}

static int create(const struct dvt_value *values, void **module, struct dvt_error *error) {
  static const struct dvt_simple_functions functions = {setup, forward, backward};
  (void)values; /* a value for each row of the parameter table; this plugin has none */
  return dvt_simple_create(sizeof(struct dvt_simple_module), &functions, module, error);
}

static const struct dvt_module_ops ops = {DVT_SIMPLE_MODULE_OPS, .create = create};
DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
  DVT_PLUGIN_HEAD, .kind = DVT_KIND_BACKBONE, .name = "@NAME@", .version = "0.1.0",
  .description = "One layer on patches of 4 x 4 pixels", .author = "you", .licence = "MIT", .ops = &ops};
