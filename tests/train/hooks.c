/* SPDX-License-Identifier: MIT */
/*
 * An aligner for tests, with every hook. It checks what aligner.h promises of the calls it gets, and on demand behaves
 * as badly as a third party's might; a promise not kept is an error that ends the run.
 */
#include <dovetail/dovetail.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FAULT };

enum fault {
  NONE,
  JOINT_NAN,
  JOINT_FAILS,
  FAILS_SILENTLY,
  LATE_HEAD,
  JOINT_HEAD,
  NAMELESS_HEAD,
  BAD_LABEL,
  GROWING_HEAD,
  WIDE_FEATURES,
  WIDE_GRADIENT,
  WIDE_LOGITS,
  EXITS
};

static const char *const faults[] = {
    "none",      "joint-nan",    "joint-fails",   "fails-silently", "late-head",   "joint-head", "nameless-head",
    "bad-label", "growing-head", "wide-features", "wide-gradient",  "wide-logits", "exits",      NULL};

static const struct dvt_param params[] = {
    {"fault", DVT_TYPE_STRING, 0, "none", 0, 0, faults, NULL, "What it does wrong."},
};

/* Where one network is in a step. */
enum stage { DONE, FEATURES, JOINT, VIEW };

struct hooks {
  const struct dvt_aligner_host *host;
  const struct dvt_network *const *networks;
  uint32_t head, count;
  enum fault fault;
  enum stage stage[64];
  uint64_t steps[64];
};

static int create(const struct dvt_value *values, void **aligner, struct dvt_error *error) {
  struct hooks *hooks = calloc(1, sizeof *hooks);
  if (!hooks) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  for (int k = 0; faults[k]; k++)
    if (!strcmp(faults[k], values[FAULT].string)) hooks->fault = (enum fault)k;
  *aligner = hooks;
  return DVT_OK;
}

static int ask_for_head(struct hooks *hooks, const char *name, struct dvt_error *error) {
  const struct dvt_head_request request = {
      .struct_size = sizeof request,
      .classes = hooks->fault == GROWING_HEAD ? hooks->count + 2 : 2,
      .name = name,
      .plugin = "linear",
  };
  return hooks->host->make_head(hooks->host, &request, &hooks->head, error);
}

static int init(void *aligner, const struct dvt_aligner_host *host, const struct dvt_network *const *networks,
                uint32_t count, struct dvt_error *error) {
  struct hooks *hooks = aligner;
  hooks->host = host;
  hooks->networks = networks;
  hooks->count = count;
  for (uint32_t t = 0; t < count; t++)
    for (uint32_t k = 0; k < networks[t]->weight_count; k++)
      if (networks[t]->weights[k]->value.data || networks[t]->weights[k]->frozen != networks[t]->frozen)
        return dvt_fail(error, DVT_ERROR_INTERNAL, "values are shown before initialise, or are frozen on their own");
  return ask_for_head(hooks, hooks->fault == NAMELESS_HEAD ? NULL : "first", error);
}

static int initialise(void *aligner, struct dvt_error *error) {
  const struct hooks *hooks = aligner;
  for (uint32_t t = 0; t < hooks->count; t++)
    for (uint32_t k = 0; k < hooks->networks[t]->weight_count; k++)
      if (!hooks->networks[t]->weights[k]->value.data)
        return dvt_fail(error, DVT_ERROR_INTERNAL, "values are not shown in initialise");
  return DVT_OK;
}

static int move(struct hooks *hooks, const struct dvt_batch *batch, enum stage from, enum stage to,
                struct dvt_error *error) {
  if (hooks->stage[batch->network] != from || hooks->steps[batch->network] != batch->step)
    return dvt_fail(error, DVT_ERROR_INTERNAL, "a hook out of turn: stage %d, not %d, of step %d",
                    (int)hooks->stage[batch->network], (int)from, (int)batch->step);
  hooks->stage[batch->network] = to;
  return DVT_OK;
}

static int expect_gradient(const struct hooks *hooks, uint32_t network, const struct dvt_tensor *gradient,
                           struct dvt_error *error) {
  if (!hooks->networks[network]->frozen == (gradient != NULL)) return DVT_OK;
  return dvt_fail(error, DVT_ERROR_INTERNAL, "network %u has a gradient and is frozen, or neither", network);
}

/* The tied head learns to tell whether the label is odd: from network 0 alone, the others leave it out. */
static int feature_loss(void *aligner, const struct dvt_batch *batch, const struct dvt_tensor *features,
                        struct dvt_tensor *gradient, double *loss, struct dvt_error *error) {
  struct hooks *hooks = aligner;
  const struct dvt_aligner_host *host = hooks->host;
  int32_t labels[256];
  struct dvt_tensor logits, seen = *features, wanted = gradient ? *gradient : seen;
  *loss = 0;
  int status = move(hooks, batch, DONE, FEATURES, error);
  if (status == DVT_OK) status = expect_gradient(hooks, batch->network, gradient, error);
  if (status != DVT_OK || batch->network != 0) return status;
  if (hooks->fault == LATE_HEAD) return ask_for_head(hooks, "second", error);
  if (hooks->fault == FAILS_SILENTLY) return DVT_ERROR_INTERNAL;
  for (uint32_t k = 0; k < batch->count; k++) labels[k] = hooks->fault == BAD_LABEL ? 2 : batch->labels[k] % 2;
  if (hooks->fault == WIDE_FEATURES) seen.shape[1] *= 2;
  if (hooks->fault == WIDE_GRADIENT) wanted.shape[2] *= 2;
  status = host->head_forward(host, hooks->head, batch->network, &seen, &logits, error);
  if (status == DVT_OK) status = host->cross_entropy(host, &logits, labels, batch->weight, loss, error);
  if (hooks->fault == WIDE_LOGITS) logits.shape[1]++;
  if (status == DVT_OK)
    status = host->head_backward(host, hooks->head, batch->network, &logits, gradient ? &wanted : NULL, error);
  return status;
}

/* A frozen network comes with or without a call of feature_loss, and has no views: its step ends here. */
static int move_to_joint(struct hooks *hooks, const struct dvt_batch *batch, const struct dvt_tensor *gradient,
                         struct dvt_error *error) {
  const int frozen = hooks->networks[batch->network]->frozen != 0;
  if (frozen) hooks->stage[batch->network] = FEATURES;
  int status = move(hooks, batch, FEATURES, frozen ? DONE : JOINT, error);
  if (status == DVT_OK) status = expect_gradient(hooks, batch->network, gradient, error);
  hooks->steps[batch->network] += frozen;
  return status;
}

/* The mean squared difference of the features, over all pairs with network 0. */
static int joint_loss(void *aligner, const struct dvt_batch *const *batches, const struct dvt_tensor *const *features,
                      struct dvt_tensor *const *gradients, uint32_t count, double *loss, struct dvt_error *error) {
  struct hooks *hooks = aligner;
  struct dvt_tensor logits;
  const int64_t images = dvt_tensor_count(batches[0]->images), size = dvt_tensor_count(features[0]);
  if (hooks->fault == EXITS) exit(0); /* here one thread does, and no other works */
  if (hooks->fault == JOINT_FAILS) return dvt_fail(error, DVT_ERROR_INTERNAL, "it fails here");
  if (hooks->fault == JOINT_HEAD)
    return hooks->host->head_forward(hooks->host, hooks->head, 0, features[0], &logits, error);
  *loss = hooks->fault == JOINT_NAN ? (double)NAN : 0;
  for (uint32_t t = 0; t < count; t++) {
    const int status = move_to_joint(hooks, batches[t], gradients[t], error);
    if (status != DVT_OK) return status;
    if (memcmp(batches[t]->images->data, batches[0]->images->data, (size_t)images * sizeof(float)) ||
        memcmp(batches[t]->labels, batches[0]->labels, batches[0]->count * sizeof(int32_t)))
      return dvt_fail(error, DVT_ERROR_INTERNAL, "the networks see different images");
    const float *own = features[t]->data, *first = features[0]->data;
    float *gradient = gradients[t] ? gradients[t]->data : NULL;
    for (int64_t k = 0; t && k < size; k++) {
      const float difference = own[k] - first[k];
      *loss += (double)difference * difference / (double)size;
      if (gradient) gradient[k] += (float)(batches[t]->weight * 2 / (double)size) * difference;
    }
  }
  return DVT_OK;
}

static int make_view(void *aligner, const struct dvt_batch *batch, struct dvt_tensor *view, struct dvt_error *error) {
  memcpy(view->data, batch->images->data, (size_t)dvt_tensor_count(view) * sizeof(float));
  return move(aligner, batch, JOINT, VIEW, error);
}

/* The view is the batch itself, and its gradient must come zeroed. */
static int view_loss(void *aligner, const struct dvt_batch *batch, const struct dvt_tensor *features,
                     struct dvt_tensor *gradient, double *loss, struct dvt_error *error) {
  struct hooks *hooks = aligner;
  const float *values = gradient->data;
  for (int64_t k = 0; k < dvt_tensor_count(features); k++)
    if (values[k] != 0) return dvt_fail(error, DVT_ERROR_INTERNAL, "the gradient of a view is not zero at first");
  *loss = 0;
  const int status = move(hooks, batch, VIEW, DONE, error);
  hooks->steps[batch->network]++;
  return status;
}

static const struct dvt_aligner_ops ops = {
    .struct_size = sizeof ops,
    .flags = DVT_ALIGNER_PAIRED,
    .create = create,
    .destroy = free,
    .init = init,
    .initialise = initialise,
    .feature_loss = feature_loss,
    .make_view = make_view,
    .view_loss = view_loss,
    .joint_loss = joint_loss,
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_ALIGNER,
    .name = "hooks",
    .version = "1.0.0",
    .description = "Every hook, for tests",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(params),
    .ops = &ops,
};
