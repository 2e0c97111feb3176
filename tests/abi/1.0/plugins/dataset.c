/* SPDX-License-Identifier: MIT */
/* A dataset of ABI 1.0: stripes in four directions. */
#include "plugins.h"

#include <stdlib.h>

enum { SIDE = 16, PERIOD = 4, TRAIN = 0, TEST };

struct stripes {
  const struct dvt_host *host;
  struct dvt_dataset_info info;
};

static const char *const directions[] = {"level", "upright", "rising", "falling"};
static const float mean[] = {0.5f, 0.5f, 0.5f}, deviation[] = {0.3f, 0.3f, 0.3f};

static int create(const struct dvt_value *values, void **dataset, struct dvt_error *error) {
  struct stripes *stripes = calloc(1, sizeof *stripes);
  if (!stripes) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  stripes->info = (struct dvt_dataset_info){
      .struct_size = sizeof stripes->info,
      .class_count = 4,
      .image = {3, SIDE, SIDE},
      .count = {(uint64_t)values[TRAIN].integer, (uint64_t)values[TEST].integer},
      .class_names = directions,
      .mean = mean,
      .deviation = deviation,
  };
  *dataset = stripes;
  return DVT_OK;
}

static void destroy(void *dataset) { free(dataset); }

static int init(void *dataset, const struct dvt_host *host, struct dvt_error *error) {
  struct stripes *stripes = dataset;
  (void)error;
  stripes->host = host;
  return DVT_OK;
}

static const struct dvt_dataset_info *info(const void *dataset) { return &((const struct stripes *)dataset)->info; }

static int read_example(const void *dataset, enum dvt_subset subset, uint64_t index, uint8_t *image, uint32_t *label,
                        struct dvt_error *error) {
  static const int slope[4][2] = {{0, 1}, {1, 0}, {1, 1}, {1, PERIOD - 1}};
  const struct stripes *stripes = dataset;
  uint32_t noise[1 + 3 * SIDE * SIDE];
  (void)error;
  stripes->host->random(stripes->host, "noise", (uint64_t)subset, index, noise, sizeof noise / sizeof *noise);
  *label = (uint32_t)(index % 4);
  for (uint32_t at = 0; at < 3 * SIDE * SIDE; at++) {
    const uint32_t x = at % SIDE, y = at / SIDE % SIDE;
    const uint32_t phase = noise[0] + x * (uint32_t)slope[*label][0] + y * (uint32_t)slope[*label][1];
    image[at] = (uint8_t)((phase % PERIOD < PERIOD / 2 ? 40 : 150) + noise[1 + at] % 64);
  }
  return DVT_OK;
}

static const struct dvt_dataset_ops ops = {
    .struct_size = sizeof ops,
    .create = create,
    .destroy = destroy,
    .init = init,
    .info = info,
    .read = read_example,
};

static const struct dvt_param params[] = {
    {.name = "train",
     .type = DVT_TYPE_INT,
     .initial = "256",
     .least = 4,
     .greatest = 1e6,
     .unit = "images",
     .doc = "Size of the training subset"},
    {.name = "test",
     .type = DVT_TYPE_INT,
     .initial = "64",
     .least = 4,
     .greatest = 1e6,
     .unit = "images",
     .doc = "Size of the test subset"},
};

const struct dvt_plugin old_dataset = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_DATASET,
    .name = "old-stripes",
    .version = "1.0.0",
    .description = "Stripes in four directions",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(params),
    .ops = &ops,
};
