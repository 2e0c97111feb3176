/* SPDX-License-Identifier: MIT */
/* A dataset of small made-up images; of a folder, it wants the file "data", and makes nothing of it. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "broken.h"

#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef DESCRIPTION
#define DESCRIPTION "A dataset of the tests"
#endif

enum { PATH, CLASSES };

struct dataset {
  char path[4096];
  const char *names[8];
  float mean[2], deviation[2];
  struct dvt_dataset_info info;
  const void *thread;
};

static const struct dvt_param params[] = {
    {.name = "path", .type = DVT_TYPE_PATH, .initial = "", .doc = "A folder, or nothing."},
    {.name = "classes", .type = DVT_TYPE_INT, .initial = "3", .least = 2, .greatest = 8, .doc = "How many."},
    {.name = "share", .type = DVT_TYPE_FLOAT, .initial = "1", .greatest = INFINITY, .doc = "Nothing."},
    {.name = "start", .type = DVT_TYPE_INT, .initial = "1", .greatest = 0x1p63, .doc = "Nothing either."},
    {.name = "shift", .type = DVT_TYPE_FLOAT, .initial = "1", .least = -INFINITY, .greatest = 5, .doc = "Nor this."},
};

static unsigned steps;

static int look(const struct dataset *dataset, struct dvt_error *error) {
  char file[4200];
  if (!dataset->path[0]) return DVT_OK;
  snprintf(file, sizeof file, "%s/data", dataset->path);
  FILE *stream = fopen(file, "rb");
  if (stream) fclose(stream);
  if (stream || BROKEN("dataset.empty")) return DVT_OK;
  return dvt_fail(error, DVT_ERROR_IO, "cannot open %s", BROKEN("dataset.missing") ? "it" : file);
}

static int create(const struct dvt_value *values, void **out, struct dvt_error *error) {
  struct dataset *dataset = calloc(1, sizeof *dataset);
  if (!dataset) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  snprintf(dataset->path, sizeof dataset->path, "%s", values[PATH].string);
  dataset->info.class_count = (uint32_t)values[CLASSES].integer;
  const int status = BROKEN("dataset.create") ? look(dataset, error) : DVT_OK;
  if (status != DVT_OK) {
    free(dataset);
    return status;
  }
  *out = dataset;
  return DVT_OK;
}

static int read_example(const void *self, enum dvt_subset subset, uint64_t index, uint8_t *image, uint32_t *label,
                        struct dvt_error *error) {
  (void)error;
  struct dataset *dataset = (struct dataset *)self;
  const unsigned extra = BROKEN("dataset.same") ? steps++ : 0;
  if (!dataset->thread) dataset->thread = this_thread();
  for (unsigned k = 0; k < 24; k++) image[k] = (uint8_t)((index * 37 + k * 91 + subset * 11) % 251 + extra % 2);
  if (BROKEN("dataset.threads") && dataset->thread != this_thread()) image[0] = 0;
  if (BROKEN("dataset.guards")) image[24] = 0;
  *label = (uint32_t)index % dataset->info.class_count + (BROKEN("dataset.labels") && index == 30 ? 8 : 0);
  return DVT_OK;
}

/* Mean and deviation by a first reading of all. */
static void measure(struct dataset *dataset) {
  for (unsigned channel = 0; channel < 2; channel++) {
    double sum = 0, squares = 0, count = (double)dataset->info.count[DVT_SUBSET_TRAIN] * 12;
    for (uint64_t index = 0; index < dataset->info.count[DVT_SUBSET_TRAIN]; index++) {
      uint8_t image[25];
      uint32_t label;
      read_example(dataset, DVT_SUBSET_TRAIN, index, image, &label, NULL);
      for (unsigned k = channel * 12; k < channel * 12 + 12; k++) {
        sum += image[k] / 255.0;
        squares += image[k] / 255.0 * image[k] / 255.0;
      }
    }
    dataset->mean[channel] = (float)(sum / count) + (BROKEN("dataset.statistics") ? 0.1f : 0);
    const double variance = squares / count - sum / count * (sum / count);
    float root = 0.5f; /* Heron's, for want of libm */
    for (int k = 0; k < 20; k++) root = (root + (float)variance / root) / 2;
    dataset->deviation[channel] = root;
  }
  dataset->thread = NULL;
}

static int init(void *self, const struct dvt_host *host, struct dvt_error *error) {
  (void)host;
  static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  struct dataset *dataset = self;
  for (int k = 0; k < 8; k++) dataset->names[k] = names[BROKEN("dataset.info") ? 0 : k];
  dataset->info = (struct dvt_dataset_info){.struct_size = sizeof dataset->info,
                                            .class_count = dataset->info.class_count,
                                            .image = {2, 3, 4},
                                            .count = {60, 40},
                                            .class_names = dataset->names,
                                            .mean = dataset->mean,
                                            .deviation = dataset->deviation};
  measure(dataset);
  return look(dataset, error);
}

static const struct dvt_dataset_info *info(const void *self) { return &((const struct dataset *)self)->info; }

#ifdef NEEDS_HOST
extern void *g_malloc(size_t size);
DVT_EXPORT void *exported(void);
void *exported(void) { return g_malloc(1); }
#endif

#ifdef ABORTS
__attribute__((constructor)) static void at_once(void) { abort(); }
#endif

#ifdef FORKS /* a process that would outlive its parent, whose files it lets go */
__attribute__((constructor)) static void at_once(void) {
  if (fork()) return;
  for (int file = 0; file < 1024; file++) close(file);
  pause();
}
#endif

#ifdef EXPORTS_MORE
DVT_EXPORT int exported(void);
int exported(void) { return 1; }
#endif

static const struct dvt_dataset_ops ops = {
    .struct_size = sizeof ops,
    .create = create,
    .destroy = free,
    .init = init,
    .info = info,
    .read = read_example,
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,    .kind = DVT_KIND_DATASET,   .name = "broken",
    .version = VERSION, .description = DESCRIPTION, .author = "The Dovetail authors",
    .licence = "MIT",   DVT_PARAMS(params),         .ops = &ops,
};
