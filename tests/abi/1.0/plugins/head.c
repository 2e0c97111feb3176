/* SPDX-License-Identifier: MIT */
/* A head of ABI 1.0: the mean over the map, centred by the batch's or the running mean, and a linear layer. */
#include "plugins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHT, BIAS, RUNNING_MEAN, WEIGHTS };

struct head {
  int64_t channels, area, classes;
  struct dvt_weight weights[WEIGHTS];
  float *values[WEIGHTS]; /* [classes, channels], [classes], [channels] */
};

struct pass {
  const struct head *head;
  uint32_t flags;
  int64_t count;
  float *weight, *bias; /* gradients, or NULL */
  float *mean;          /* [channels], of the last batch */
  float *vectors;       /* [capacity, channels], centred */
};

static int create(const struct dvt_value *values, void **module, struct dvt_error *error) {
  struct head *head = calloc(1, sizeof *head);
  (void)values;
  if (!head) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  *module = head;
  return DVT_OK;
}

static void destroy(void *module) { free(module); }

static int init(void *module, const struct dvt_host *host, const struct dvt_module_config *config,
                struct dvt_error *error) {
  struct head *head = module;
  (void)host, (void)error;
  head->channels = config->input[0];
  head->area = config->input[1] * config->input[2];
  head->classes = config->classes;
  const struct dvt_weight weights[WEIGHTS] = {
      [WEIGHT] = {.role = DVT_WEIGHT_PARAMETER,
                  .name = "linear.weight",
                  .rank = 2,
                  .decays = 1,
                  .shape = {head->classes, head->channels},
                  .initialiser = DVT_INIT_UNIFORM,
                  .init_value = 1 / sqrtf((float)head->channels)},
      [BIAS] = {.role = DVT_WEIGHT_PARAMETER,
                .name = "linear.bias",
                .rank = 1,
                .shape = {head->classes},
                .initialiser = DVT_INIT_CONSTANT},
      [RUNNING_MEAN] = {.role = DVT_WEIGHT_BUFFER,
                        .name = "running_mean",
                        .rank = 1,
                        .shape = {head->channels},
                        .initialiser = DVT_INIT_CONSTANT},
  };
  memcpy(head->weights, weights, sizeof weights);
  for (int k = 0; k < WEIGHTS; k++) head->weights[k].struct_size = sizeof *weights;
  return DVT_OK;
}

static const struct dvt_weight *weight(const void *module, uint32_t index) {
  return index < WEIGHTS ? &((const struct head *)module)->weights[index] : NULL;
}

static void output_shape(const void *module, int64_t shape[3]) {
  shape[0] = ((const struct head *)module)->classes;
  shape[1] = shape[2] = 1;
}

static void bind(void *module, float *const *values) {
  memcpy(((struct head *)module)->values, values, WEIGHTS * sizeof *values);
}

static void changed(void *module) { (void)module; }

static void pass_destroy(void *opaque) {
  struct pass *pass = opaque;
  if (!pass) return;
  free(pass->mean);
  free(pass->vectors);
  free(pass);
}

static int pass_create(void *module, const struct dvt_pass_config *config, void **out, struct dvt_error *error) {
  const struct head *head = module;
  struct pass *pass = calloc(1, sizeof *pass);
  if (pass) {
    pass->mean = calloc((size_t)head->channels, sizeof(float));
    pass->vectors = calloc(config->capacity, (size_t)head->channels * sizeof(float));
  }
  if (!pass || !pass->mean || !pass->vectors) {
    pass_destroy(pass);
    return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  }
  pass->head = head;
  pass->flags = config->flags;
  if (config->gradients) {
    pass->weight = config->gradients[WEIGHT];
    pass->bias = config->gradients[BIAS];
  }
  *out = pass;
  return DVT_OK;
}

static void centre(struct pass *pass, const float *features) {
  const struct head *head = pass->head;
  const int64_t count = pass->count, channels = head->channels;
  memset(pass->mean, 0, (size_t)channels * sizeof(float));
  for (int64_t k = 0; k < count * channels; k++) {
    double sum = 0;
    for (int64_t at = 0; at < head->area; at++) sum += features[k * head->area + at];
    pass->vectors[k] = (float)(sum / (double)head->area);
    pass->mean[k % channels] += pass->vectors[k] / (float)count;
  }
  const float *mean = pass->flags & DVT_PASS_BATCH_STATISTICS ? pass->mean : head->values[RUNNING_MEAN];
  for (int64_t k = 0; k < count * channels; k++) pass->vectors[k] -= mean[k % channels];
}

static int forward(void *opaque, const struct dvt_tensor *input, struct dvt_tensor *output, struct dvt_error *error) {
  struct pass *pass = opaque;
  const struct head *head = pass->head;
  const int64_t channels = head->channels, classes = head->classes;
  float *logits = output->data;
  (void)error;
  pass->count = input->shape[0];
  centre(pass, input->data);
  for (int64_t n = 0; n < pass->count; n++)
    for (int64_t k = 0; k < classes; k++) {
      float sum = head->values[BIAS][k];
      for (int64_t c = 0; c < channels; c++)
        sum += head->values[WEIGHT][k * channels + c] * pass->vectors[n * channels + c];
      *logits++ = sum;
    }
  return DVT_OK;
}

static void weight_gradients(struct pass *pass, const float *gradient) {
  const int64_t channels = pass->head->channels, classes = pass->head->classes;
  for (int64_t n = 0; n < pass->count; n++)
    for (int64_t k = 0; k < classes; k++) {
      for (int64_t c = 0; c < channels; c++)
        pass->weight[k * channels + c] += gradient[n * classes + k] * pass->vectors[n * channels + c];
      pass->bias[k] += gradient[n * classes + k];
    }
}

/* Of channel c of example n, before the mean over the batch is taken off. */
static float vector_gradient(const struct head *head, const float *gradient, int64_t n, int64_t c) {
  float sum = 0;
  for (int64_t k = 0; k < head->classes; k++)
    sum += gradient[n * head->classes + k] * head->values[WEIGHT][k * head->channels + c];
  return sum;
}

static void input_gradients(const struct pass *pass, const float *gradient, float *below) {
  const struct head *head = pass->head;
  for (int64_t c = 0; c < head->channels; c++) {
    float mean = 0;
    for (int64_t n = 0; pass->flags & DVT_PASS_BATCH_STATISTICS && n < pass->count; n++)
      mean += vector_gradient(head, gradient, n, c) / (float)pass->count;
    for (int64_t n = 0; n < pass->count; n++) {
      const float share = (vector_gradient(head, gradient, n, c) - mean) / (float)head->area;
      for (int64_t at = 0; at < head->area; at++) below[(n * head->channels + c) * head->area + at] = share;
    }
  }
}

static int backward(void *opaque, const struct dvt_tensor *output_gradient, struct dvt_tensor *input_gradient,
                    struct dvt_error *error) {
  struct pass *pass = opaque;
  (void)error;
  if (pass->weight) weight_gradients(pass, output_gradient->data);
  if (input_gradient) input_gradients(pass, output_gradient->data, input_gradient->data);
  return DVT_OK;
}

static void commit(void *opaque) {
  const struct pass *pass = opaque;
  float *running = pass->head->values[RUNNING_MEAN];
  for (int64_t c = 0; c < pass->head->channels; c++) running[c] = 0.9f * running[c] + 0.1f * pass->mean[c];
}

static const struct dvt_module_ops ops = {
    .struct_size = sizeof ops,
    .create = create,
    .destroy = destroy,
    .init = init,
    .weight = weight,
    .output_shape = output_shape,
    .bind = bind,
    .changed = changed,
    .pass_create = pass_create,
    .pass_destroy = pass_destroy,
    .forward = forward,
    .backward = backward,
    .commit = commit,
};

const struct dvt_plugin old_head = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_HEAD,
    .name = "old-linear",
    .version = "1.0.0",
    .description = "A linear layer on the centred mean over the map",
    .author = "The Dovetail authors",
    .licence = "MIT",
    .ops = &ops,
    .next = &old_aligner,
};
