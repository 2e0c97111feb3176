/* SPDX-License-Identifier: MIT */
#include "plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH }; /* parameters */

static const char *const names[LAYERS] = {"conv1", "conv2", "conv3"};

static int create(const struct dvt_value *values, void **module, struct dvt_error *error) {
  struct plain *plain = calloc(1, sizeof *plain);
  if (!plain) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  plain->channels[1] = values[WIDTH].integer;
  plain->channels[2] = plain->channels[3] = 2 * values[WIDTH].integer;
  *module = plain;
  return DVT_OK;
}

static void destroy(void *module) {
  struct plain *plain = module;
  for (int k = 0; plain && k < LAYERS; k++) free(plain->flipped[k]);
  free(plain);
}

static int find_split(struct plain *plain, const char *split, struct dvt_error *error) {
  plain->layers = LAYERS;
  if (!split) return DVT_OK;
  for (uint32_t k = 0; k < LAYERS; k++)
    if (!strcmp(names[k], split)) {
      plain->layers = k + 1;
      return DVT_OK;
    }
  return dvt_fail(error, DVT_ERROR_ARGUMENT, "no split '%s'; known: conv1, conv2, conv3", split);
}

static void declare_layer(struct plain *plain, int layer) {
  static const char *const weights[2 * LAYERS] = {"conv1.weight", "conv1.bias",   "conv2.weight",
                                                  "conv2.bias",   "conv3.weight", "conv3.bias"};
  const int64_t inputs = plain->channels[layer], outputs = plain->channels[layer + 1];
  plain->splits[layer] = (struct dvt_split){
      .struct_size = sizeof(struct dvt_split),
      .name = names[layer],
      .shape = {outputs, plain->shape.height, plain->shape.width},
  };
  plain->weights[2 * layer] = (struct dvt_weight){
      .struct_size = sizeof(struct dvt_weight),
      .role = DVT_WEIGHT_PARAMETER,
      .name = weights[2 * layer],
      .rank = 4,
      .decays = 1,
      .shape = {outputs, inputs, 3, 3},
      .initialiser = DVT_INIT_NORMAL, /* He et al. 2015 */
      .init_value = sqrtf(2.0f / (float)(inputs * TAPS)),
  };
  plain->weights[2 * layer + 1] = (struct dvt_weight){
      .struct_size = sizeof(struct dvt_weight),
      .role = DVT_WEIGHT_PARAMETER,
      .name = weights[2 * layer + 1],
      .rank = 1,
      .shape = {outputs},
      .initialiser = DVT_INIT_CONSTANT,
  };
}

static int init(void *module, const struct dvt_host *host, const struct dvt_module_config *config,
                struct dvt_error *error) {
  struct plain *plain = module;
  const int64_t *image = config->input;
  plain->host = host;
  if (image[1] % 2 || image[2] % 2)
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "got images of %d x %d pixels; expected even numbers", (int)image[1],
                    (int)image[2]);
  memcpy(plain->image, image, sizeof plain->image);
  plain->channels[0] = 4 * image[0];
  shape_init(&plain->shape, image[1] / 2, image[2] / 2);
  for (int k = 0; k < LAYERS; k++) {
    const size_t kernels = (size_t)(plain->channels[k] * plain->channels[k + 1]);
    declare_layer(plain, k);
    plain->flipped[k] = calloc(kernels, TAPS * sizeof *plain->flipped[k]);
    if (!plain->flipped[k]) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  }
  return find_split(plain, config->split, error);
}

static const struct dvt_split *split(const void *module, uint32_t index) {
  return index < LAYERS ? &((const struct plain *)module)->splits[index] : NULL;
}

static const struct dvt_weight *weight(const void *module, uint32_t index) {
  const struct plain *plain = module;
  return index < 2 * plain->layers ? &plain->weights[index] : NULL;
}

static void output_shape(const void *module, int64_t shape[3]) {
  const struct plain *plain = module;
  memcpy(shape, plain->splits[plain->layers - 1].shape, 3 * sizeof *shape);
}

static void bind(void *module, float *const *values) {
  struct plain *plain = module;
  for (uint32_t k = 0; k < 2 * plain->layers; k++) plain->values[k] = values[k];
}

static void changed(void *module) {
  struct plain *plain = module;
  for (uint32_t k = 0; k < plain->layers; k++) {
    const int64_t inputs = plain->channels[k], outputs = plain->channels[k + 1];
    for (int64_t o = 0; o < outputs; o++)
      for (int64_t i = 0; i < inputs; i++)
        for (int tap = 0; tap < TAPS; tap++)
          plain->flipped[k][(i * outputs + o) * TAPS + TAPS - 1 - tap] =
              plain->values[2 * k][(o * inputs + i) * TAPS + tap];
  }
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
    .forward = pass_forward,
    .backward = pass_backward,
};

static const struct dvt_param params[] = {
    {.name = "width",
     .type = DVT_TYPE_INT,
     .initial = "16",
     .least = 1,
     .greatest = 1024,
     .unit = "channels",
     .doc = "Channels of the first layer; the others have twice as many"},
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_BACKBONE,
    .name = "plain",
    .version = "1.0.0",
    .description = "Three convolutions at half the size of the image: features as those of a ResNet's layer2",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(params),
    .ops = &ops,
};
