/* SPDX-License-Identifier: MIT */
/*
 * CKA: on the same images, the features of the networks shall be alike up to a rotation and a scale.
 *
 * Let X [n, p] and Y [n, q] hold the centred features of two networks (matrix.h), S_xy = X'Y / n, S_xx = X'X / n and
 * S_yy = Y'Y / n their covariances, and |.| be the Frobenius norm. Linear CKA (Kornblith et al. 2019) is
 * |S_xy|^2 / (|S_xx| |S_yy|), from 0 to 1; the loss is 1 - CKA, the mean over all pairs of networks. From
 * d|S_xy|^2 / dX = 2/n Y S_xy' and d|S_xx| / dX = 2/n X S_xx / |S_xx| follows
 *
 *     dCKA / dX = 2/n (Y S_xy' / (|S_xx| |S_yy|) - CKA X S_xx / |S_xx|^2)
 *
 * The mean of each of its columns is 0, as that of X and Y: it is the gradient before centring as well.
 */
#include "matrix.h"

#include <dovetail/dovetail.h>
#include <stdlib.h>

struct cka {
  uint32_t count;
  struct matrix *features; /* [count] */
  double *norms;           /* [count], |S_xx| */
  double **own;            /* [count], S_xx */
  double *cross;           /* S_xy of one pair */
  float *matrix;           /* what features are multiplied by for a gradient */
};

static int create(const struct dvt_value *values, void **aligner, struct dvt_error *error) {
  struct cka *cka = calloc(1, sizeof *cka);
  (void)values;
  if (!cka) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  *aligner = cka;
  return DVT_OK;
}

static void destroy(void *aligner) {
  struct cka *cka = aligner;
  if (!cka) return;
  for (uint32_t t = 0; cka->features && t < cka->count; t++) free(cka->features[t].centred);
  for (uint32_t t = 0; cka->own && t < cka->count; t++) free(cka->own[t]);
  free(cka->features);
  free(cka->norms);
  free(cka->own);
  free(cka->cross);
  free(cka->matrix);
  free(cka);
}

static int check(const struct dvt_network *const *networks, uint32_t count, struct dvt_error *error) {
  const int64_t *first = networks[0]->features;
  if (count < 2)
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "network %s is the only one; CKA compares two or more",
                    networks[0]->name);
  for (uint32_t t = 1; t < count; t++) {
    const int64_t *other = networks[t]->features;
    if (other[1] != first[1] || other[2] != first[2])
      return dvt_fail(error, DVT_ERROR_ARGUMENT,
                      "the features of %s are maps of %d x %d, those of %s of %d x %d; CKA takes maps of one size",
                      networks[0]->name, (int)first[1], (int)first[2], networks[t]->name, (int)other[1], (int)other[2]);
  }
  return DVT_OK;
}

static int allocate(struct cka *cka, const struct dvt_network *const *networks) {
  size_t most = 0;
  cka->features = calloc(cka->count, sizeof *cka->features);
  cka->norms = calloc(cka->count, sizeof *cka->norms);
  cka->own = calloc(cka->count, sizeof *cka->own);
  if (!cka->features || !cka->norms || !cka->own) return DVT_ERROR_MEMORY;
  for (uint32_t t = 0; t < cka->count; t++) {
    const int64_t *shape = networks[t]->features;
    const size_t channels = (size_t)shape[0];
    struct matrix *features = &cka->features[t];
    *features = (struct matrix){networks[t]->batch, shape[0], shape[1] * shape[2], NULL};
    features->centred = calloc((size_t)matrix_count(features), sizeof *features->centred);
    cka->own[t] = calloc(channels * channels, sizeof *cka->own[t]);
    if (!features->centred || !cka->own[t]) return DVT_ERROR_MEMORY;
    if (channels > most) most = channels;
  }
  cka->cross = calloc(most * most, sizeof *cka->cross);
  cka->matrix = calloc(most * most, sizeof *cka->matrix);
  return cka->cross && cka->matrix ? DVT_OK : DVT_ERROR_MEMORY;
}

static int init(void *aligner, const struct dvt_aligner_host *host, const struct dvt_network *const *networks,
                uint32_t count, struct dvt_error *error) {
  struct cka *cka = aligner;
  (void)host;
  cka->count = count;
  const int status = check(networks, count, error);
  if (status != DVT_OK) return status;
  return allocate(cka, networks) == DVT_OK ? DVT_OK : dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
}

/* Adds scale * Y S' to the gradient of network x, where S is [channels of x, channels of y]. */
static void add_product(struct cka *cka, uint32_t x, uint32_t y, const double *s, double scale, float *gradient) {
  const int64_t channels = cka->features[x].channels;
  for (int64_t k = 0; k < channels * cka->features[y].channels; k++) cka->matrix[k] = (float)(scale * s[k]);
  matrix_add_product(&cka->features[y], cka->matrix, channels, gradient);
}

/* 1 - CKA; adds the gradient of weight times that with respect to x (NULL: not wanted). Features that are the same
 * everywhere have no CKA, and no direction makes them more alike: their loss is 1, without a gradient. */
static double pair_loss(struct cka *cka, uint32_t x, uint32_t y, double weight, float *gradient) {
  const double least = 1e-12, rows = (double)(cka->features[x].images * cka->features[x].area);
  if (!(cka->norms[x] > least && cka->norms[y] > least)) return 1;
  const double cross = matrix_covariance(&cka->features[x], &cka->features[y], cka->cross);
  const double norms = cka->norms[x] * cka->norms[y], value = cross * cross / norms;
  if (gradient) {
    const double own = cka->norms[x] * cka->norms[x];
    add_product(cka, x, y, cka->cross, -weight * 2 / rows / norms, gradient);
    add_product(cka, x, x, cka->own[x], weight * 2 / rows * value / own, gradient);
  }
  return 1 - value;
}

static int joint_loss(void *aligner, const struct dvt_batch *const *batches, const struct dvt_tensor *const *features,
                      struct dvt_tensor *const *gradients, uint32_t count, double *loss, struct dvt_error *error) {
  struct cka *cka = aligner;
  const double pairs = count * (count - 1.0) / 2;
  (void)error;
  for (uint32_t t = 0; t < count; t++) {
    matrix_centre(&cka->features[t], features[t]->data);
    cka->norms[t] = matrix_covariance(&cka->features[t], &cka->features[t], cka->own[t]);
  }
  *loss = 0;
  for (uint32_t x = 0; x < count; x++) /* each pair comes twice, once for the gradient of either network */
    for (uint32_t y = 0; y < count; y++)
      if (x != y)
        *loss += pair_loss(cka, x, y, batches[x]->weight / pairs, gradients[x] ? gradients[x]->data : NULL) / pairs / 2;
  return DVT_OK;
}

static const struct dvt_aligner_ops ops = {
    .struct_size = sizeof ops,
    .flags = DVT_ALIGNER_PAIRED,
    .create = create,
    .destroy = destroy,
    .init = init,
    .joint_loss = joint_loss,
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_ALIGNER,
    .name = "cka",
    .version = "1.0.0",
    .description = "Features alike up to rotation and scale: 1 - CKA of each pair of networks is a loss",
    .author = "The Dovetail authors",
    .licence = "MIT",
    .ops = &ops,
};
