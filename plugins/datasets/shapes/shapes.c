/* SPDX-License-Identifier: MIT */
#include "shapes.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

struct shapes {
  const struct dvt_host *host;
  uint64_t count[DVT_SUBSET_COUNT];
  char stream[32];
  uint8_t *images[DVT_SUBSET_COUNT]; /* [count, 3, 32, 32] */
  const char *names[CLASS_COUNT];
  float mean[CHANNELS], deviation[CHANNELS];
  struct dvt_dataset_info info;
};

static int create(const struct dvt_value *values, void **dataset, struct dvt_error *error) {
  struct shapes *shapes = calloc(1, sizeof *shapes);
  if (!shapes) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
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
  free(shapes);
}

static uint32_t label_of(uint64_t index) { return (uint32_t)(index % CLASS_COUNT); }

struct draw_job {
  struct shapes *shapes;
  enum dvt_subset subset;
};

static void draw_range(void *data, int64_t begin, int64_t end) {
  const struct draw_job *job = data;
  const struct shapes *shapes = job->shapes;
  uint32_t words[SCENE_WORDS];
  for (uint64_t index = (uint64_t)begin; index < (uint64_t)end; index++) {
    shapes->host->random(shapes->host, shapes->stream, job->subset, index, words, SCENE_WORDS);
    scene_draw(words, label_of(index), shapes->images[job->subset] + index * IMAGE_SIZE);
  }
}

static int draw_subset(struct shapes *shapes, enum dvt_subset subset, struct dvt_error *error) {
  const struct dvt_host *host = shapes->host;
  const uint64_t count = shapes->count[subset];
  struct draw_job job = {shapes, subset};
  shapes->images[subset] = host->allocate(host, count * IMAGE_SIZE);
  if (!shapes->images[subset])
    return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory for %" PRIu64 " images of %d bytes", count, IMAGE_SIZE);
  host->parallel_for(host, host->threads, (int64_t)count, draw_range, &job);
  return DVT_OK;
}

static void measure_channel(struct shapes *shapes, int channel) {
  const uint64_t area = SIDE * SIDE, count = shapes->count[DVT_SUBSET_TRAIN];
  uint64_t sum = 0, squares = 0;
  for (uint64_t index = 0; index < count; index++) {
    const uint8_t *pixels = shapes->images[DVT_SUBSET_TRAIN] + index * IMAGE_SIZE + (uint64_t)channel * area;
    uint32_t image_sum = 0, image_squares = 0;
    for (uint32_t k = 0; k < area; k++) {
      image_sum += pixels[k];
      image_squares += (uint32_t)pixels[k] * pixels[k];
    }
    sum += image_sum;
    squares += image_squares;
  }
  const double mean = (double)sum / (double)(count * area);
  shapes->mean[channel] = (float)(mean / 255);
  shapes->deviation[channel] = (float)(sqrt((double)squares / (double)(count * area) - mean * mean) / 255);
}

static int init(void *dataset, const struct dvt_host *host, struct dvt_error *error) {
  struct shapes *shapes = dataset;
  shapes->host = host;
  for (int subset = 0; subset < DVT_SUBSET_COUNT; subset++) {
    const int status = draw_subset(shapes, subset, error);
    if (status != DVT_OK) return status;
  }
  for (int channel = 0; channel < CHANNELS; channel++) measure_channel(shapes, channel);
  for (int label = 0; label < CLASS_COUNT; label++) shapes->names[label] = drawings[label].name;
  shapes->info = (struct dvt_dataset_info){
      .struct_size = sizeof shapes->info,
      .class_count = CLASS_COUNT,
      .image = {CHANNELS, SIDE, SIDE},
      .count = {shapes->count[DVT_SUBSET_TRAIN], shapes->count[DVT_SUBSET_TEST]},
      .class_names = shapes->names,
      .mean = shapes->mean,
      .deviation = shapes->deviation,
  };
  return DVT_OK;
}

static const struct dvt_dataset_info *info(const void *dataset) { return &((const struct shapes *)dataset)->info; }

static int read_example(const void *dataset, enum dvt_subset subset, uint64_t index, uint8_t *image, uint32_t *label,
                        struct dvt_error *error) {
  (void)error;
  const struct shapes *shapes = dataset;
  memcpy(image, shapes->images[subset] + index * IMAGE_SIZE, IMAGE_SIZE);
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
