/* SPDX-License-Identifier: MIT */
/* What a stranger builds against the installed headers: an aligner that keeps features small. */
#include <dovetail/dovetail.h>

static int create(const struct dvt_value *values, void **aligner, struct dvt_error *error) {
  static char nothing;
  (void)values, (void)error;
  *aligner = &nothing;
  return DVT_OK;
}

static void destroy(void *aligner) { (void)aligner; }

static int init(void *aligner, const struct dvt_aligner_host *host, const struct dvt_network *const *networks,
                uint32_t count, struct dvt_error *error) {
  (void)aligner, (void)host, (void)networks, (void)count, (void)error;
  return DVT_OK;
}

static int feature_loss(void *aligner, const struct dvt_batch *batch, const struct dvt_tensor *features,
                        struct dvt_tensor *gradient, double *loss, struct dvt_error *error) {
  const float *x = features->data;
  const int64_t count = dvt_tensor_count(features);
  double sum = 0;
  (void)aligner, (void)error;
  for (int64_t i = 0; i < count; i++) sum += (double)x[i] * x[i];
  *loss = sum / (double)count;
  for (int64_t i = 0; gradient && i < count; i++)
    ((float *)gradient->data)[i] += (float)(batch->weight * 2 * x[i] / (double)count);
  return DVT_OK;
}

static const struct dvt_aligner_ops ops = {
    .struct_size = sizeof ops,
    .create = create,
    .destroy = destroy,
    .init = init,
    .feature_loss = feature_loss,
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_ALIGNER,
    .name = "small-features",
    .version = "0.1.0",
    .description = "keeps features small: their mean square is a loss",
    .author = "a stranger",
    .licence = "MIT",
    .ops = &ops,
};
