/* SPDX-License-Identifier: MIT */
#include "plain.h"

#include <stdlib.h>
#include <string.h>

struct pass {
  const struct plain *plain;
  uint32_t threads;
  int64_t count;                  /* images of the last forward */
  float *maps[LAYERS + 1];        /* [capacity, channels] planes: what layer k gets; behind the last, the features */
  float *slopes[LAYERS + 1];      /* their gradients; of a layer's output before its ReLU */
  float *gradients[2 * LAYERS];   /* of the weights, or NULL */
  const struct dvt_tensor *given; /* of the call under way: image, or gradient of the features */
  const struct dvt_tensor *made;  /* features, or gradient of the image (NULL: not wanted) */
};

static float *plane(const struct pass *pass, float *maps, int64_t image, int64_t channels, int64_t channel) {
  return maps + (image * channels + channel) * pass->plain->shape.plane;
}

static float *planes_new(const struct plain *plain, int64_t count) {
  return calloc((size_t)count, (size_t)plain->shape.plane * sizeof(float));
}

static int allocate(struct pass *pass, const struct dvt_pass_config *config) {
  const struct plain *plain = pass->plain;
  const int64_t capacity = config->capacity;
  for (uint32_t k = 0; k <= plain->layers; k++)
    if (!(pass->maps[k] = planes_new(plain, capacity * plain->channels[k]))) return DVT_ERROR_MEMORY;
  for (uint32_t k = 0; config->flags & DVT_PASS_BACKWARD && k <= plain->layers; k++)
    if (!(pass->slopes[k] = planes_new(plain, capacity * plain->channels[k]))) return DVT_ERROR_MEMORY;
  return DVT_OK;
}

int pass_create(void *module, const struct dvt_pass_config *config, void **out, struct dvt_error *error) {
  const struct plain *plain = module;
  if (config->precision != DVT_PRECISION_AUTO && config->precision != DVT_PRECISION_FLOAT32)
    return dvt_fail(error, DVT_ERROR_UNSUPPORTED, "plain computes in float32 alone");
  struct pass *pass = calloc(1, sizeof *pass);
  if (!pass) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  pass->plain = plain;
  pass->threads = config->threads;
  for (uint32_t k = 0; config->gradients && k < 2 * plain->layers; k++) pass->gradients[k] = config->gradients[k];
  if (allocate(pass, config) != DVT_OK) {
    pass_destroy(pass);
    return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  }
  *out = pass;
  return DVT_OK;
}

void pass_destroy(void *opaque) {
  struct pass *pass = opaque;
  if (!pass) return;
  for (int k = 0; k <= LAYERS; k++) {
    free(pass->maps[k]);
    free(pass->slopes[k]);
  }
  free(pass);
}

/* The pixel at (0, 0) of the map that channel `channel` of image `image` becomes: its neighbours lie 2 pixels apart. */
static int64_t first_pixel(const struct plain *plain, int64_t image, int64_t channel) {
  const int64_t *size = plain->image, c = channel / 4, y = channel / 2 % 2, x = channel % 2;
  return ((image * size[0] + c) * size[1] + y) * size[2] + x;
}

static void blocks_to_channels(const struct pass *pass, int64_t image) {
  const struct plain *plain = pass->plain;
  const struct shape *shape = &plain->shape;
  for (int64_t c = 0; c < plain->channels[0]; c++) {
    const float *from = (const float *)pass->given->data + first_pixel(plain, image, c);
    float *to = plane(pass, pass->maps[0], image, plain->channels[0], c) + shape->border;
    for (int64_t y = 0; y < shape->height; y++)
      for (int64_t x = 0; x < shape->width; x++) to[y * shape->stride + x] = from[2 * y * plain->image[2] + 2 * x];
  }
}

/* The map from its first point on, as plane_convolve sums it up. */
static float *map_begin(const struct pass *pass, float *maps, int64_t image, int64_t channels, int64_t channel) {
  return plane(pass, maps, image, channels, channel) + pass->plain->shape.border;
}

/* Between the rows of a map, and behind it, a plane is 0. */
static void relu(const struct shape *shape, float *map) {
  for (int64_t y = 0; y < shape->height; y++, map += shape->stride) {
    for (int64_t x = 0; x < shape->width; x++) map[x] = map[x] > 0 ? map[x] : 0;
    map[shape->width] = map[shape->width + 1] = 0;
  }
  memset(map, 0, (size_t)(shape->length - shape->height * shape->stride) * sizeof *map);
}

static void layer_forward(const struct pass *pass, uint32_t layer, int64_t image) {
  const struct plain *plain = pass->plain;
  const int64_t inputs = plain->channels[layer], outputs = plain->channels[layer + 1];
  const float *kernels = plain->values[2 * layer], *bias = plain->values[2 * layer + 1];
  for (int64_t o = 0; o < outputs; o++) {
    float *map = map_begin(pass, pass->maps[layer + 1], image, outputs, o);
    for (int64_t k = 0; k < plain->shape.length; k++) map[k] = bias[o];
    for (int64_t i = 0; i < inputs; i++, kernels += TAPS)
      plane_convolve(&plain->shape, plane(pass, pass->maps[layer], image, inputs, i), kernels, map);
    relu(&plain->shape, map);
  }
}

static void write_features(const struct pass *pass, int64_t image) {
  const struct shape *shape = &pass->plain->shape;
  const int64_t channels = pass->plain->channels[pass->plain->layers];
  float *to = (float *)pass->made->data + image * channels * shape->height * shape->width;
  for (int64_t c = 0; c < channels; c++) {
    const float *from = map_begin(pass, pass->maps[pass->plain->layers], image, channels, c);
    for (int64_t y = 0; y < shape->height; y++, to += shape->width)
      memcpy(to, from + y * shape->stride, (size_t)shape->width * sizeof *to);
  }
}

static void forward_images(void *data, int64_t begin, int64_t end) {
  const struct pass *pass = data;
  for (int64_t image = begin; image < end; image++) {
    blocks_to_channels(pass, image);
    for (uint32_t layer = 0; layer < pass->plain->layers; layer++) layer_forward(pass, layer, image);
    write_features(pass, image);
  }
}

int pass_forward(void *opaque, const struct dvt_tensor *input, struct dvt_tensor *output, struct dvt_error *error) {
  struct pass *pass = opaque;
  const struct dvt_host *host = pass->plain->host;
  (void)error;
  pass->count = input->shape[0];
  pass->given = input;
  pass->made = output;
  host->parallel_for(host, pass->threads, pass->count, forward_images, pass);
  return DVT_OK;
}

/* Keeps the gradient where the ReLU let something through. */
static void relu_backward(const struct shape *shape, const float *map, float *slope) {
  for (int64_t k = 0; k < shape->length; k++) slope[k] = map[k] > 0 ? slope[k] : 0;
}

static void read_feature_gradient(const struct pass *pass, int64_t image) {
  const uint32_t last = pass->plain->layers;
  const struct shape *shape = &pass->plain->shape;
  const int64_t channels = pass->plain->channels[last];
  const float *from = (const float *)pass->given->data + image * channels * shape->height * shape->width;
  for (int64_t c = 0; c < channels; c++) {
    float *to = map_begin(pass, pass->slopes[last], image, channels, c);
    for (int64_t y = 0; y < shape->height; y++, from += shape->width)
      memcpy(to + y * shape->stride, from, (size_t)shape->width * sizeof *to);
    relu_backward(shape, map_begin(pass, pass->maps[last], image, channels, c), to);
  }
}

/* The gradient of what a layer got. */
static void layer_backward(const struct pass *pass, uint32_t layer, int64_t image) {
  const struct plain *plain = pass->plain;
  const int64_t inputs = plain->channels[layer], outputs = plain->channels[layer + 1];
  const float *kernels = plain->flipped[layer];
  for (int64_t i = 0; i < inputs; i++) {
    float *slope = map_begin(pass, pass->slopes[layer], image, inputs, i);
    memset(slope, 0, (size_t)plain->shape.length * sizeof *slope);
    for (int64_t o = 0; o < outputs; o++, kernels += TAPS)
      plane_convolve(&plain->shape, plane(pass, pass->slopes[layer + 1], image, outputs, o), kernels, slope);
    if (layer) relu_backward(&plain->shape, map_begin(pass, pass->maps[layer], image, inputs, i), slope);
  }
}

static void channels_to_blocks(const struct pass *pass, int64_t image) {
  const struct plain *plain = pass->plain;
  const struct shape *shape = &plain->shape;
  for (int64_t c = 0; c < plain->channels[0]; c++) {
    const float *from = map_begin(pass, pass->slopes[0], image, plain->channels[0], c);
    float *to = (float *)pass->made->data + first_pixel(plain, image, c);
    for (int64_t y = 0; y < shape->height; y++)
      for (int64_t x = 0; x < shape->width; x++) to[2 * y * plain->image[2] + 2 * x] = from[y * shape->stride + x];
  }
}

static void backward_images(void *data, int64_t begin, int64_t end) {
  const struct pass *pass = data;
  for (int64_t image = begin; image < end; image++) {
    read_feature_gradient(pass, image);
    for (uint32_t layer = pass->plain->layers - 1; layer > 0; layer--) layer_backward(pass, layer, image);
    if (!pass->made) continue;
    layer_backward(pass, 0, image);
    channels_to_blocks(pass, image);
  }
}

/* Of channels [begin, end) of one layer; each sums over the images in their order, whatever the threads. */
static void weight_gradients(const struct pass *pass, uint32_t layer, int64_t begin, int64_t end) {
  const struct plain *plain = pass->plain;
  const int64_t inputs = plain->channels[layer], outputs = plain->channels[layer + 1];
  for (int64_t o = begin; o < end; o++)
    for (int64_t image = 0; image < pass->count; image++) {
      const float *slope = plane(pass, pass->slopes[layer + 1], image, outputs, o);
      for (int64_t k = 0; k < plain->shape.plane; k++) pass->gradients[2 * layer + 1][o] += slope[k];
      for (int64_t i = 0; i < inputs; i++)
        plane_kernel_gradient(&plain->shape, plane(pass, pass->maps[layer], image, inputs, i), slope,
                              pass->gradients[2 * layer] + (o * inputs + i) * TAPS);
    }
}

/* Channels are counted through all layers, so that one loop shares them out. */
static void backward_channels(void *data, int64_t begin, int64_t end) {
  const struct pass *pass = data;
  int64_t first = 0;
  for (uint32_t layer = 0; layer < pass->plain->layers; layer++) {
    const int64_t channels = pass->plain->channels[layer + 1];
    const int64_t from = begin > first ? begin - first : 0, to = end - first < channels ? end - first : channels;
    weight_gradients(pass, layer, from, to);
    first += channels;
  }
}

int pass_backward(void *opaque, const struct dvt_tensor *output_gradient, struct dvt_tensor *input_gradient,
                  struct dvt_error *error) {
  struct pass *pass = opaque;
  const struct dvt_host *host = pass->plain->host;
  int64_t channels = 0;
  (void)error;
  pass->given = output_gradient;
  pass->made = input_gradient;
  host->parallel_for(host, pass->threads, pass->count, backward_images, pass);
  for (uint32_t layer = 0; layer < pass->plain->layers; layer++) channels += pass->plain->channels[layer + 1];
  if (pass->gradients[0]) host->parallel_for(host, pass->threads, channels, backward_channels, pass);
  return DVT_OK;
}
