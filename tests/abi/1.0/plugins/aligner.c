/* SPDX-License-Identifier: MIT */
/* An aligner of ABI 1.0 with every hook: the same start, small features, a head that tells negatives from images, and
 * features that are alike in every network. */
#include "plugins.h"

#include <stdlib.h>
#include <string.h>

struct aligner {
  const struct dvt_aligner_host *host;
  const struct dvt_network *const *networks;
  uint32_t count, head;
  int32_t **negative; /* by network, [batch]: 1 where the view is the negative of the image */
};

static int create(const struct dvt_value *values, void **out, struct dvt_error *error) {
  struct aligner *aligner = calloc(1, sizeof *aligner);
  (void)values;
  if (!aligner) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  *out = aligner;
  return DVT_OK;
}

static void destroy(void *opaque) {
  struct aligner *aligner = opaque;
  if (!aligner) return;
  for (uint32_t t = 0; aligner->negative && t < aligner->count; t++) free(aligner->negative[t]);
  free(aligner->negative);
  free(aligner);
}

static int init(void *opaque, const struct dvt_aligner_host *host, const struct dvt_network *const *networks,
                uint32_t count, struct dvt_error *error) {
  static const char *const names[] = {"image", "negative"};
  struct aligner *aligner = opaque;
  aligner->host = host;
  aligner->networks = networks;
  aligner->count = count;
  aligner->negative = calloc(count, sizeof *aligner->negative);
  for (uint32_t t = 0; aligner->negative && t < count; t++)
    if (!(aligner->negative[t] = calloc(networks[t]->batch, sizeof **aligner->negative)))
      return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  if (!aligner->negative) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  const struct dvt_head_request request = {
      .struct_size = sizeof request, .classes = 2, .name = "negative", .plugin = "old-linear", .class_names = names};
  return host->make_head(host, &request, &aligner->head, error);
}

static const struct dvt_network_weight *find(const struct dvt_network *network, const struct dvt_network_weight *like) {
  for (uint32_t k = 0; k < network->weight_count; k++) {
    const struct dvt_network_weight *weight = network->weights[k];
    if (weight->component == like->component && !strcmp(weight->name, like->name) &&
        dvt_tensor_count(&weight->value) == dvt_tensor_count(&like->value))
      return weight;
  }
  return NULL;
}

static int initialise(void *opaque, struct dvt_error *error) {
  const struct aligner *aligner = opaque;
  (void)error;
  for (uint32_t t = 1; t < aligner->count; t++)
    for (uint32_t k = 0; k < aligner->networks[t]->weight_count; k++) {
      const struct dvt_network_weight *weight = aligner->networks[t]->weights[k];
      const struct dvt_network_weight *first = find(aligner->networks[0], weight);
      if (first && !weight->frozen)
        memcpy(weight->value.data, first->value.data, (size_t)dvt_tensor_count(&weight->value) * sizeof(float));
    }
  return DVT_OK;
}

static int feature_loss(void *opaque, const struct dvt_batch *batch, const struct dvt_tensor *features,
                        struct dvt_tensor *gradient, double *loss, struct dvt_error *error) {
  const int64_t count = dvt_tensor_count(features);
  const float *x = features->data;
  double sum = 0;
  (void)opaque, (void)error;
  for (int64_t k = 0; k < count; k++) {
    sum += (double)x[k] * x[k];
    if (gradient) ((float *)gradient->data)[k] += (float)(batch->weight * 2 * x[k] / (double)count);
  }
  *loss = sum / (double)count;
  return DVT_OK;
}

static int make_view(void *opaque, const struct dvt_batch *batch, struct dvt_tensor *view, struct dvt_error *error) {
  struct aligner *aligner = opaque;
  const struct dvt_host *host = aligner->host->base;
  const int64_t size = dvt_tensor_count(view) / batch->count;
  (void)error;
  for (uint32_t n = 0; n < batch->count; n++) {
    uint32_t word;
    host->random(host, aligner->networks[batch->network]->name, batch->step, n, &word, 1);
    aligner->negative[batch->network][n] = (int32_t)(word % 2);
    for (int64_t k = n * size; k < (n + 1) * size; k++)
      ((float *)view->data)[k] = ((const float *)batch->images->data)[k] * (word % 2 ? -1.0f : 1.0f);
  }
  return DVT_OK;
}

static int view_loss(void *opaque, const struct dvt_batch *batch, const struct dvt_tensor *features,
                     struct dvt_tensor *gradient, double *loss, struct dvt_error *error) {
  const struct aligner *aligner = opaque;
  const struct dvt_aligner_host *host = aligner->host;
  const int32_t *labels = aligner->negative[batch->network];
  struct dvt_tensor logits;
  int status = host->head_forward(host, aligner->head, batch->network, features, &logits, error);
  if (status == DVT_OK) status = host->cross_entropy(host, &logits, labels, batch->weight, loss, error);
  if (status == DVT_OK) status = host->head_backward(host, aligner->head, batch->network, &logits, gradient, error);
  return status;
}

static int joint_loss(void *opaque, const struct dvt_batch *const *batches, const struct dvt_tensor *const *features,
                      struct dvt_tensor *const *gradients, uint32_t count, double *loss, struct dvt_error *error) {
  const int64_t size = dvt_tensor_count(features[0]);
  (void)opaque, (void)error;
  *loss = 0;
  for (int64_t k = 0; k < size; k++) {
    double mean = 0;
    for (uint32_t t = 0; t < count; t++) mean += ((const float *)features[t]->data)[k] / (double)count;
    for (uint32_t t = 0; t < count; t++) {
      const double apart = ((const float *)features[t]->data)[k] - mean;
      *loss += apart * apart / (double)size;
      if (gradients[t]) ((float *)gradients[t]->data)[k] += (float)(batches[t]->weight * 2 * apart / (double)size);
    }
  }
  return DVT_OK;
}

static const struct dvt_aligner_ops ops = {
    .struct_size = sizeof ops,
    .flags = DVT_ALIGNER_PAIRED,
    .create = create,
    .destroy = destroy,
    .init = init,
    .initialise = initialise,
    .feature_loss = feature_loss,
    .make_view = make_view,
    .view_loss = view_loss,
    .joint_loss = joint_loss,
};

const struct dvt_plugin old_aligner = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_ALIGNER,
    .name = "old-alike",
    .version = "1.0.0",
    .description = "The same start, small and equal features, negatives told apart",
    .author = "The Dovetail authors",
    .licence = "MIT",
    .ops = &ops,
    .next = &old_dataset,
};
