/* SPDX-License-Identifier: MIT */
/* A backbone of ABI 1.0: each square patch of the image becomes a vector, by a linear map and a ReLU. */
#include "plugins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 0, PATCH };

struct patches {
  int64_t channels, patch, image[3], inputs; /* inputs: of one vector */
  struct dvt_split split;
  struct dvt_weight weights[2];
  const float *weight, *bias; /* [channels, inputs], [channels] */
};

struct pass {
  const struct patches *patches;
  const float *images; /* of the last forward */
  int64_t count;
  float *weight, *bias; /* gradients, or NULL */
  float *output;        /* [capacity, C, H, W] of the last forward */
};

static int create(const struct dvt_value *values, void **module, struct dvt_error *error) {
  struct patches *patches = calloc(1, sizeof *patches);
  if (!patches) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  patches->channels = values[CHANNELS].integer;
  patches->patch = values[PATCH].integer;
  *module = patches;
  return DVT_OK;
}

static void destroy(void *module) { free(module); }

static int init(void *module, const struct dvt_host *host, const struct dvt_module_config *config,
                struct dvt_error *error) {
  struct patches *self = module;
  const int64_t *image = config->input, channels = self->channels, patch = self->patch;
  (void)host;
  if (image[1] % patch || image[2] % patch)
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "images of %d x %d are no whole patches of %d", (int)image[1],
                    (int)image[2], (int)patch);
  if (config->split && strcmp(config->split, "patches") != 0)
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "no split '%s'; known: patches", config->split);
  memcpy(self->image, image, sizeof self->image);
  self->inputs = image[0] * patch * patch;
  self->split = (struct dvt_split){
      .struct_size = sizeof self->split, .name = "patches", .shape = {channels, image[1] / patch, image[2] / patch}};
  self->weights[0] = (struct dvt_weight){.struct_size = sizeof self->weights[0],
                                         .role = DVT_WEIGHT_PARAMETER,
                                         .name = "patches.weight",
                                         .rank = 4,
                                         .decays = 1,
                                         .shape = {channels, image[0], patch, patch},
                                         .initialiser = DVT_INIT_NORMAL,
                                         .init_value = sqrtf(2.0f / (float)self->inputs)};
  self->weights[1] = (struct dvt_weight){.struct_size = sizeof self->weights[1],
                                         .role = DVT_WEIGHT_PARAMETER,
                                         .name = "patches.bias",
                                         .rank = 1,
                                         .shape = {channels},
                                         .initialiser = DVT_INIT_CONSTANT};
  return DVT_OK;
}

static const struct dvt_split *split(const void *module, uint32_t index) {
  return index ? NULL : &((const struct patches *)module)->split;
}

static const struct dvt_weight *weight(const void *module, uint32_t index) {
  return index < 2 ? &((const struct patches *)module)->weights[index] : NULL;
}

static void output_shape(const void *module, int64_t shape[3]) {
  memcpy(shape, ((const struct patches *)module)->split.shape, 3 * sizeof *shape);
}

static void bind(void *module, float *const *values) {
  struct patches *patches = module;
  patches->weight = values[0];
  patches->bias = values[1];
}

static void changed(void *module) { (void)module; }

static void pass_destroy(void *pass) {
  if (pass) free(((struct pass *)pass)->output);
  free(pass);
}

static int pass_create(void *module, const struct dvt_pass_config *config, void **out, struct dvt_error *error) {
  const struct patches *self = module;
  const int64_t *shape = self->split.shape;
  struct pass *pass = calloc(1, sizeof *pass);
  if (pass) pass->output = calloc(config->capacity, (size_t)(shape[0] * shape[1] * shape[2]) * sizeof(float));
  if (!pass || !pass->output) {
    pass_destroy(pass);
    return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  }
  pass->patches = self;
  if (config->gradients) {
    pass->weight = config->gradients[0];
    pass->bias = config->gradients[1];
  }
  *out = pass;
  return DVT_OK;
}

/* Where input k of the vector at (y, x) lies in image n. */
static int64_t pixel(const struct patches *self, int64_t n, int64_t k, int64_t y, int64_t x) {
  const int64_t patch = self->patch, c = k / (patch * patch), v = k / patch % patch, u = k % patch;
  return ((n * self->image[0] + c) * self->image[1] + y * patch + v) * self->image[2] + x * patch + u;
}

static int forward(void *opaque, const struct dvt_tensor *input, struct dvt_tensor *output, struct dvt_error *error) {
  struct pass *pass = opaque;
  const struct patches *self = pass->patches;
  const int64_t *shape = self->split.shape;
  float *out = pass->output;
  (void)error;
  pass->images = input->data;
  pass->count = input->shape[0];
  for (int64_t n = 0; n < pass->count; n++)
    for (int64_t c = 0; c < shape[0]; c++)
      for (int64_t y = 0; y < shape[1]; y++)
        for (int64_t x = 0; x < shape[2]; x++) {
          float sum = self->bias[c];
          for (int64_t k = 0; k < self->inputs; k++)
            sum += self->weight[c * self->inputs + k] * pass->images[pixel(self, n, k, y, x)];
          *out++ = sum > 0 ? sum : 0;
        }
  memcpy(output->data, pass->output, (size_t)dvt_tensor_count(output) * sizeof(float));
  return DVT_OK;
}

static int backward(void *opaque, const struct dvt_tensor *output_gradient, struct dvt_tensor *input_gradient,
                    struct dvt_error *error) {
  struct pass *pass = opaque;
  const struct patches *self = pass->patches;
  const int64_t *shape = self->split.shape;
  const float *gradient = output_gradient->data, *out = pass->output;
  float *below = input_gradient ? input_gradient->data : NULL;
  (void)error;
  if (below) memset(below, 0, (size_t)dvt_tensor_count(input_gradient) * sizeof(float));
  for (int64_t n = 0; n < pass->count; n++)
    for (int64_t c = 0; c < shape[0]; c++)
      for (int64_t y = 0; y < shape[1]; y++)
        for (int64_t x = 0; x < shape[2]; x++, gradient++) {
          if (!(*out++ > 0)) continue;
          for (int64_t k = 0; k < self->inputs; k++) {
            const int64_t at = pixel(self, n, k, y, x);
            if (pass->weight) pass->weight[c * self->inputs + k] += *gradient * pass->images[at];
            if (below) below[at] += *gradient * self->weight[c * self->inputs + k];
          }
          if (pass->bias) pass->bias[c] += *gradient;
        }
  return DVT_OK;
}

static const struct dvt_module_ops ops = {
    .struct_size = sizeof ops,
    .create = create,
    .destroy = destroy,
    .init = init,
    .split = split,
    .weight = weight,
    .output_shape = output_shape,
    .bind = bind,
    .changed = changed,
    .pass_create = pass_create,
    .pass_destroy = pass_destroy,
    .forward = forward,
    .backward = backward,
};

static const struct dvt_param params[] = {
    {.name = "channels",
     .type = DVT_TYPE_INT,
     .initial = "8",
     .least = 1,
     .greatest = 1024,
     .unit = "channels",
     .doc = "Length of a vector"},
    {.name = "patch",
     .type = DVT_TYPE_INT,
     .initial = "2",
     .least = 1,
     .greatest = 64,
     .unit = "pixels",
     .doc = "Side of a patch"},
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_BACKBONE,
    .name = "old-patches",
    .version = "1.0.0",
    .description = "A vector for each patch of the image",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(params),
    .ops = &ops,
    .next = &old_head,
};
