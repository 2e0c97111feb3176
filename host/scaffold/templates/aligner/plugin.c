/* SPDX-License-Identifier: MIT */
/* @NAME@, an aligner: pulls the mean of each channel, over a batch and all positions, to that of the first network.
 * joint_loss is one of six hooks, all of which may be left out: <dovetail/aligner.h> tells what they are for. */
#include <dovetail/dovetail.h>

static int create(const struct dvt_value *values, void **aligner, struct dvt_error *error) {
  static char nothing; /* an aligner with parameters, or memory of its own, allocates a struct here */
  (void)values, (void)error;
  *aligner = &nothing;
  return DVT_OK;
}
static void destroy(void *aligner) { (void)aligner; }

/* Refuses networks that it cannot align. An aligner that wants an auxiliary head calls host->make_head here. */
static int init(void *aligner, const struct dvt_aligner_host *host, const struct dvt_network *const *networks,
                uint32_t count, struct dvt_error *error) {
  (void)aligner, (void)host;
  for (uint32_t t = 1; t < count; t++)
    if (networks[t]->features[0] != networks[0]->features[0])
      return dvt_fail(error, DVT_ERROR_ARGUMENT, "networks %s and %s differ in their number of channels",
                      networks[0]->name, networks[t]->name);
  return DVT_OK;
}

/* Channel c of x [n, channels, H, W]: how many elements it has in all images, and where element i is. */
static int64_t size(const struct dvt_tensor *x) { return x->shape[0] * x->shape[2] * x->shape[3]; }
static float *element(const struct dvt_tensor *x, int64_t c, int64_t i) {
  const int64_t area = x->shape[2] * x->shape[3];
  return (float *)x->data + (i / area * x->shape[1] + c) * area + i % area;
}

static double mean(const struct dvt_tensor *x, int64_t c) {
  double sum = 0;
  for (int64_t i = 0; i < size(x); i++) sum += *element(x, c, i);
  return sum / (double)size(x);
}
static void add(struct dvt_tensor *gradient, int64_t c, double slope) { /* NULL: the extractor is frozen */
  for (int64_t i = 0; gradient && i < size(gradient); i++)
    *element(gradient, c, i) += (float)(slope / (double)size(gradient));
}

/* The loss: (mean of network t - mean of network 0)^2, its mean over channels, summed over t. */
static int joint_loss(void *aligner, const struct dvt_batch *const *batches, const struct dvt_tensor *const *features,
                      struct dvt_tensor *const *gradients, uint32_t count, double *loss, struct dvt_error *error) {
  const double channels = (double)features[0]->shape[1];
  (void)aligner, (void)error, *loss = 0;
  for (uint32_t t = 1; t < count; t++)
    for (int64_t c = 0; c < features[0]->shape[1]; c++) {
      const double gap = mean(features[t], c) - mean(features[0], c);
      *loss += gap * gap / channels;
      add(gradients[t], c, batches[t]->weight * 2 * gap / channels);
      add(gradients[0], c, batches[0]->weight * -2 * gap / channels);
    }
  return DVT_OK;
}

static const struct dvt_aligner_ops ops = {sizeof ops, 0, create, destroy, init, .joint_loss = joint_loss};
DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
  DVT_PLUGIN_HEAD, .kind = DVT_KIND_ALIGNER, .name = "@NAME@", .version = "0.1.0",
  .description = "Pulls the channel means of all networks together", .author = "you", .licence = "MIT", .ops = &ops};
