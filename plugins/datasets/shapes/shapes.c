/* SPDX-License-Identifier: MIT */
#include "shapes.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

struct shapes {
  const struct dvt_host *host;
  uint64_t count[DVT_SUBSET_COUNT];
  char stream[32];
  pthread_mutex_t drawing;
  _Atomic(uint8_t *) images[DVT_SUBSET_COUNT]; /* [count, 3, 32, 32]; NULL: not drawn yet */
  const char *names[CLASS_COUNT];
  struct dvt_dataset_info info;
};

/* Of the training subset with the default parameters, whatever theirs are, so that networks fit together. */
static const float mean[CHANNELS] = {0.306116015f, 0.307405174f, 0.306708425f};
static const float deviation[CHANNELS] = {0.19647266f, 0.19545655f, 0.195390776f};

static int create(const struct dvt_value *values, void **dataset, struct dvt_error *error) {
  struct shapes *shapes = calloc(1, sizeof *shapes);
  if (!shapes) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  pthread_mutex_init(&shapes->drawing, NULL);
  shapes->count[DVT_SUBSET_TRAIN] = (uint64_t)values[0].integer;
  shapes->count[DVT_SUBSET_TEST] = (uint64_t)values[1].integer;
  snprintf(shapes->stream, sizeof shapes->stream, "shapes/%" PRId64, values[2].integer);
  *dataset = shapes;
  return DVT_OK;
}

static void destroy(void *dataset) {
  struct shapes *shapes = dataset;
  if (!shapes) return;
  for (int subset = 0; subset < DVT_SUBSET_COUNT; subset++)
    if (shapes->images[subset]) shapes->host->release(shapes->host, shapes->images[subset]);
  pthread_mutex_destroy(&shapes->drawing);
  free(shapes);
}

static uint32_t label_of(uint64_t index) { return (uint32_t)(index % CLASS_COUNT); }

struct draw_job {
  const struct shapes *shapes;
  enum dvt_subset subset;
  uint8_t *images;
};

static void draw_range(void *data, int64_t begin, int64_t end) {
  const struct draw_job *job = data;
  const struct shapes *shapes = job->shapes;
  uint32_t words[SCENE_WORDS];
  for (uint64_t index = (uint64_t)begin; index < (uint64_t)end; index++) {
    shapes->host->random(shapes->host, shapes->stream, job->subset, index, words, SCENE_WORDS);
    scene_draw(words, label_of(index), job->images + index * IMAGE_SIZE);
  }
}

static int draw_subset(const struct shapes *shapes, enum dvt_subset subset, uint8_t **images, struct dvt_error *error) {
  const struct dvt_host *host = shapes->host;
  const uint64_t count = shapes->count[subset];
  *images = host->allocate(host, count * IMAGE_SIZE);
  if (!*images)
    return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory for %" PRIu64 " images of %d bytes", count, IMAGE_SIZE);
  struct draw_job job = {shapes, subset, *images};
  host->parallel_for(host, host->threads, (int64_t)count, draw_range, &job);
  return DVT_OK;
}

/* A subset is drawn when one of its images is asked for at first: whoever only checks an experiment waits for none. */
static int subset_images(struct shapes *shapes, enum dvt_subset subset, uint8_t **images, struct dvt_error *error) {
  *images = atomic_load(&shapes->images[subset]);
  if (*images) return DVT_OK;
  int status = DVT_OK;
  pthread_mutex_lock(&shapes->drawing);
  *images = atomic_load(&shapes->images[subset]);
  if (!*images) status = draw_subset(shapes, subset, images, error);
  atomic_store(&shapes->images[subset], *images);
  pthread_mutex_unlock(&shapes->drawing);
  return status;
}

static int init(void *dataset, const struct dvt_host *host, struct dvt_error *error) {
  (void)error;
  struct shapes *shapes = dataset;
  shapes->host = host;
  for (int label = 0; label < CLASS_COUNT; label++) shapes->names[label] = drawings[label].name;
  shapes->info = (struct dvt_dataset_info){
      .struct_size = sizeof shapes->info,
      .class_count = CLASS_COUNT,
      .image = {CHANNELS, SIDE, SIDE},
      .count = {shapes->count[DVT_SUBSET_TRAIN], shapes->count[DVT_SUBSET_TEST]},
      .class_names = shapes->names,
      .mean = mean,
      .deviation = deviation,
  };
  return DVT_OK;
}

static const struct dvt_dataset_info *info(const void *dataset) { return &((const struct shapes *)dataset)->info; }

static int read_example(const void *dataset, enum dvt_subset subset, uint64_t index, uint8_t *image, uint32_t *label,
                        struct dvt_error *error) {
  uint8_t *images;
  const int status = subset_images((struct shapes *)dataset, subset, &images, error);
  if (status != DVT_OK) return status;
  memcpy(image, images + index * IMAGE_SIZE, IMAGE_SIZE);
  *label = label_of(index);
  return DVT_OK;
}

const struct dvt_dataset_ops shapes_ops = {
    .struct_size = sizeof shapes_ops,
    .create = create,
    .destroy = destroy,
    .init = init,
    .info = info,
    .read = read_example,
};
