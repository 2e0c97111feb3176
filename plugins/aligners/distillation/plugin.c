/* SPDX-License-Identifier: MIT */
/* Distillation: the features of every network are drawn towards those of the others, on the same images (Gygli,
 * Uijlings and Ferrari 2020, section 3). */
#include <dovetail/dovetail.h>
#include <stdlib.h>
#include <string.h>

struct distillation {
  const struct dvt_aligner_host *host;
  double *sums; /* [batch]: of squared differences, by example: so no sum depends on the threads */
};

/* What joint_loss is called with. */
struct job {
  const struct dvt_tensor *const *features;
  struct dvt_tensor *const *gradients;
  uint32_t count; /* networks */
  int64_t size;   /* elements of one example's features */
  float scale;    /* of a difference, to be its gradient */
  double *sums;
};

static int create(const struct dvt_value *values, void **aligner, struct dvt_error *error) {
  (void)values;
  *aligner = calloc(1, sizeof(struct distillation));
  return *aligner ? DVT_OK : dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
}

static void destroy(void *aligner) {
  struct distillation *self = aligner;
  if (!self) return;
  free(self->sums);
  free(self);
}

static int init(void *aligner, const struct dvt_aligner_host *host, const struct dvt_network *const *networks,
                uint32_t count, struct dvt_error *error) {
  struct distillation *self = aligner;
  const int64_t *first = networks[0]->features;
  for (uint32_t t = 1; t < count; t++) {
    const int64_t *other = networks[t]->features;
    if (memcmp(first, other, sizeof networks[t]->features) != 0)
      return dvt_fail(error, DVT_ERROR_ARGUMENT,
                      "network %s has features of %d x %d x %d after %s, network %s of %d x %d x %d after %s; features "
                      "of one shape are needed",
                      networks[0]->name, (int)first[0], (int)first[1], (int)first[2], networks[0]->split,
                      networks[t]->name, (int)other[0], (int)other[1], (int)other[2], networks[t]->split);
  }
  self->host = host;
  self->sums = calloc(networks[0]->batch, sizeof *self->sums);
  return self->sums ? DVT_OK : dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
}

static int either_is_trained(struct dvt_tensor *const *gradients, uint32_t a, uint32_t b) {
  return gradients[a] || gradients[b];
}

static uint32_t count_pairs(struct dvt_tensor *const *gradients, uint32_t count) {
  uint32_t pairs = 0;
  for (uint32_t b = 1; b < count; b++)
    for (uint32_t a = 0; a < b; a++) pairs += either_is_trained(gradients, a, b) != 0;
  return pairs;
}

static void add_difference(const struct dvt_tensor *gradient, int64_t begin, int64_t size, float scale,
                           const float *features, const float *other) {
  if (!gradient) return;
  float *sum = (float *)gradient->data + begin;
  for (int64_t k = 0; k < size; k++) sum[k] += scale * (features[k] - other[k]);
}

/* The squared differences of one pair on one example; adds the gradients. */
static double compare(const struct job *job, uint32_t a, uint32_t b, int64_t example) {
  const int64_t begin = example * job->size;
  const float *first = (const float *)job->features[a]->data + begin;
  const float *second = (const float *)job->features[b]->data + begin;
  double sum = 0;
  for (int64_t k = 0; k < job->size; k++) {
    const double difference = (double)first[k] - second[k];
    sum += difference * difference;
  }
  add_difference(job->gradients[a], begin, job->size, job->scale, first, second);
  add_difference(job->gradients[b], begin, job->size, job->scale, second, first);
  return sum;
}

static void compare_examples(void *data, int64_t begin, int64_t end) {
  const struct job *job = data;
  for (int64_t example = begin; example < end; example++) {
    job->sums[example] = 0;
    for (uint32_t b = 1; b < job->count; b++)
      for (uint32_t a = 0; a < b; a++)
        if (either_is_trained(job->gradients, a, b)) job->sums[example] += compare(job, a, b, example);
  }
}

/* Every network waits meanwhile, so their threads are free. */
static uint32_t count_threads(const struct dvt_batch *const *batches, uint32_t count) {
  uint32_t threads = 0;
  for (uint32_t t = 0; t < count; t++) threads += batches[t]->threads;
  return threads;
}

static int joint_loss(void *aligner, const struct dvt_batch *const *batches, const struct dvt_tensor *const *features,
                      struct dvt_tensor *const *gradients, uint32_t count, double *loss, struct dvt_error *error) {
  (void)error;
  const struct distillation *self = aligner;
  const struct dvt_host *host = self->host->base;
  const uint32_t pairs = count_pairs(gradients, count);
  *loss = 0;
  if (!pairs) return DVT_OK;
  const double elements = (double)dvt_tensor_count(features[0]) * pairs;
  const int64_t examples = features[0]->shape[0];
  struct job job = {
      features,  gradients, count, dvt_tensor_count(features[0]) / examples, (float)(2 * batches[0]->weight / elements),
      self->sums};
  host->parallel_for(host, count_threads(batches, count), examples, compare_examples, &job);
  for (int64_t example = 0; example < examples; example++) *loss += self->sums[example] / elements;
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
    .name = "distillation",
    .version = "1.0.0",
    .description = "The features of every network are drawn towards those of the others",
    .author = "The Dovetail authors",
    .licence = "MIT",
    .ops = &ops,
};
