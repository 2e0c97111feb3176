/* SPDX-License-Identifier: MIT */
/* @NAME@, a dataset: stripes that lie, stand, or lean to either side, drawn when they are read. Reads come from any
 * thread, and give the same bytes every time. <dovetail/dataset.h> has the contract of each function. */
#include <dovetail/dovetail.h>
#include <stdlib.h>

enum { SIDE = 32, WORDS = 2 + SIDE * SIDE / 4 };

static const struct dvt_param params[] = {
  {"train", DVT_TYPE_INT, 0, "4000", 1, 1e6, NULL, "images", "training examples"},
  {"test", DVT_TYPE_INT, 0, "1000", 1, 1e6, NULL, "images", "test examples"},
};

struct stripes { const struct dvt_host *host; struct dvt_dataset_info info; };

static int create(const struct dvt_value *values, void **dataset, struct dvt_error *error) {
  static const char *const names[] = {"lying", "standing", "rising", "falling"};
  static const float mean[] = {0.5f, 0.5f, 0.5f}, deviation[] = {0.29f, 0.29f, 0.29f};
  struct stripes *made = calloc(1, sizeof *made);
  if (!made) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  made->info = (struct dvt_dataset_info){sizeof made->info, 4, {3, SIDE, SIDE}, {(uint64_t)values[0].integer,
                                         (uint64_t)values[1].integer}, names, mean, deviation};
  *dataset = made;
  return DVT_OK;
}
static void destroy(void *dataset) { free(dataset); }

/* A dataset of files opens them here, and fails with a message that names the file. */
static int init(void *dataset, const struct dvt_host *host, struct dvt_error *error) {
  (void)error;
  ((struct stripes *)dataset)->host = host;
  return DVT_OK;
}
static const struct dvt_dataset_info *info(const void *dataset) { return &((const struct stripes *)dataset)->info; }

static int read_example(const void *dataset, enum dvt_subset subset, uint64_t index, uint8_t *image, uint32_t *label,
                        struct dvt_error *error) {
  const struct dvt_host *host = ((const struct stripes *)dataset)->host;
  uint32_t words[WORDS]; /* random, but always the same for this example */
  host->random(host, "stripes", subset, index, words, WORDS);
  (void)error;
  *label = (uint32_t)(index % 4);
  const int period = 4 + (int)(words[0] % 5), phase = (int)(words[1] % 64);
  for (int y = 0; y < SIDE; y++)
    for (int x = 0; x < SIDE; x++) {
      const int along[] = {y, x, x + y, x - y + SIDE}, at = y * SIDE + x, noise = words[2 + at / 4] >> at % 4 * 8 & 127;
      const int value = (along[*label] + phase) / period % 2 * 128 + noise;
      for (int c = 0; c < 3; c++) image[c * SIDE * SIDE + at] = (uint8_t)value;
    }
  return DVT_OK;
}

static const struct dvt_dataset_ops ops = {
  .struct_size = sizeof ops, .create = create, .destroy = destroy, .init = init, .info = info, .read = read_example};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
  DVT_PLUGIN_HEAD, .kind = DVT_KIND_DATASET, .name = "@NAME@", .version = "0.1.0", DVT_PARAMS(params),
  .description = "Stripes in four directions", .author = "you", .licence = "MIT", .ops = &ops};
