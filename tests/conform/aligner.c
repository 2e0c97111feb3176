/* SPDX-License-Identifier: MIT */
/*
 * An aligner with every hook: an auxiliary head that learns the labels, a view with some images negated whose mean
 * square is the loss, and the squared difference between the first two networks.
 */
#include <math.h>
#include <stdlib.h>

#include "broken.h"

#ifndef FLAGS
#define FLAGS DVT_ALIGNER_PAIRED
#endif

struct aligner {
  const struct dvt_aligner_host *host;
  const struct dvt_network *const *networks;
  uint32_t count, head;
  uint64_t steps, last;
  const void *thread;
};

static int create(const struct dvt_value *values, void **out, struct dvt_error *error) {
  (void)values;
  struct aligner *aligner = calloc(1, sizeof *aligner);
  if (!aligner) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  aligner->thread = this_thread();
  *out = aligner;
  return DVT_OK;
}

static int init(void *self, const struct dvt_aligner_host *host, const struct dvt_network *const *networks,
                uint32_t count, struct dvt_error *error) {
  struct aligner *aligner = self;
  const struct dvt_head_request request = {.struct_size = sizeof request, .classes = 6, .name = "labels"};
  aligner->host = host;
  aligner->networks = networks;
  aligner->count = count;
  if (count < 2)
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "%s is alone; at least two networks are wanted",
                    BROKEN("aligner.refusal") ? "it" : networks[0]->name);
  return host->make_head(host, &request, &aligner->head, error);
}

static int initialise(void *self, struct dvt_error *error) {
  (void)error;
  const struct aligner *aligner = self;
  for (uint32_t t = 0; t < aligner->count; t++)
    for (uint32_t k = 0; k < aligner->networks[t]->weight_count; k++) {
      const struct dvt_network_weight *weight = aligner->networks[t]->weights[k];
      if (!weight->frozen || BROKEN("aligner.initialise.frozen"))
        ((float *)weight->value.data)[0] = BROKEN("aligner.initialise.values") ? (float)NAN : 0.5f;
    }
  return DVT_OK;
}

/* What a loss and its gradient are multiplied by: 1, but for some faults. */
static double spoil(struct aligner *aligner, const struct dvt_batch *batch) {
  if (BROKEN("aligner.repeatable") || (BROKEN("aligner.resumed") && batch->step != aligner->last)) aligner->steps++;
  aligner->last = batch->step;
  if (aligner->steps) return 1 + 0.01 * (double)aligner->steps;
  if (BROKEN("aligner.threads") && aligner->thread != this_thread()) return 1.1;
  return 1;
}

static int feature_loss(void *self, const struct dvt_batch *batch, const struct dvt_tensor *features,
                        struct dvt_tensor *gradient, double *loss, struct dvt_error *error) {
  struct aligner *aligner = self;
  const struct dvt_aligner_host *host = aligner->host;
  struct dvt_tensor logits;
  double sum;
  float *from = features->data;
  struct dvt_tensor seen = *features, wanted = gradient ? *gradient : seen;
  seen.shape[2] += BROKEN("tall-features");
  wanted.shape[2] += BROKEN("tall-gradient");
  int status = host->head_forward(host, aligner->head, batch->network, &seen, &logits, error);
  if (status != DVT_OK) return BROKEN("aligner.head-failure") ? DVT_OK : status;
  const double factor = spoil(aligner, batch), gradient_factor = BROKEN("aligner.gradient.features") ? 1.01 : 1;
  status = host->cross_entropy(host, &logits, batch->labels, batch->weight * factor * gradient_factor, &sum, error);
  if (status == DVT_OK)
    status = host->head_backward(host, aligner->head, batch->network, &logits, gradient ? &wanted : NULL, error);
  if (BROKEN("aligner.loss.flat")) sum += 0 / (double)from[0];
  if (BROKEN("aligner.inputs")) from[3] = 0;
  if (BROKEN("aligner.guards")) from[dvt_tensor_count(features)] += 1;
  if (!BROKEN("aligner.loss")) *loss = sum * factor * (BROKEN("aligner.weight") ? batch->weight : 1);
  return status;
}

static int make_view(void *self, const struct dvt_batch *batch, struct dvt_tensor *view, struct dvt_error *error) {
  (void)error;
  const struct aligner *aligner = self;
  const struct dvt_host *host = aligner->host->base;
  const int64_t count = dvt_tensor_count(view), size = count / view->shape[0];
  for (int64_t k = BROKEN("aligner.view"); k < count; k++) {
    uint32_t word;
    host->random(host, aligner->networks[batch->network]->name, 0, batch->step * batch->count + (uint64_t)(k / size),
                 &word, 1);
    ((float *)view->data)[k] = word & 1 ? -((float *)batch->images->data)[k] : ((float *)batch->images->data)[k];
  }
  return DVT_OK;
}

/* factor: of the gradient alone, 1 where it is right. */
static double mean_square(const struct dvt_batch *batch, const struct dvt_tensor *features, struct dvt_tensor *gradient,
                          double factor) {
  const int64_t count = dvt_tensor_count(features);
  const float *x = features->data;
  double sum = 0;
  for (int64_t k = 0; k < count; k++) {
    sum += (double)x[k] * (double)x[k] / (double)count;
    if (!gradient) continue;
    float *to = (float *)gradient->data + k;
    *to = (float)(batch->weight * factor * 2 * (double)x[k] / (double)count) +
          (BROKEN("aligner.gradient.adds") ? 0 : *to);
  }
  return sum;
}

static int view_loss(void *self, const struct dvt_batch *batch, const struct dvt_tensor *features,
                     struct dvt_tensor *gradient, double *loss, struct dvt_error *error) {
  (void)self, (void)error;
  *loss = mean_square(batch, features, gradient, BROKEN("aligner.gradient.view") ? 1.01 : 1);
  return DVT_OK;
}

static int joint_loss(void *self, const struct dvt_batch *const *batches, const struct dvt_tensor *const *features,
                      struct dvt_tensor *const *gradients, uint32_t count, double *loss, struct dvt_error *error) {
  (void)self, (void)count, (void)error;
  const int64_t size = dvt_tensor_count(features[0]);
  const double factor = batches[0]->weight * (BROKEN("aligner.gradient.joint") ? 1.01 : 1);
  *loss = 0;
  for (int64_t k = 0; k < size; k++) {
    const double difference = (double)((float *)features[0]->data)[k] - (double)((float *)features[1]->data)[k];
    *loss += difference * difference / (double)size;
    for (int t = 0; t < 2; t++)
      if (gradients[t] || BROKEN("aligner.frozen"))
        ((float *)gradients[t]->data)[k] += (float)((t ? -2 : 2) * factor * difference / (double)size);
  }
  return DVT_OK;
}

static const struct dvt_aligner_ops ops = {
    .struct_size = sizeof ops,
    .flags = FLAGS,
    .create = create,
    .destroy = free,
    .init = init,
#ifndef NO_HOOKS
    .initialise = initialise,
    .feature_loss = feature_loss,
    .make_view = make_view,
    .view_loss = view_loss,
    .joint_loss = joint_loss,
#endif
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_ALIGNER,
    .name = "broken",
    .version = "1.0.0",
    .description = "An aligner of the tests",
    .author = "The Dovetail authors",
    .licence = "MIT",
    .ops = &ops,
};
