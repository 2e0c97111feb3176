/* SPDX-License-Identifier: MIT */
#include "cifar.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "names.h"
#include "records.h"

enum { MAX_FILES = 5, COARSE_CLASSES = 20, FINE_CLASSES = 100 };

/* What a folder holds. */
struct layout {
  const char *files[DVT_SUBSET_COUNT][MAX_FILES + 1]; /* NULL-terminated */
  const char *all_files;                              /* the same, in words */
  const char *names_file;
  const char *const *standard_names;
  struct labelling labelling;
  float mean[3], deviation[3]; /* of the published training set, whatever part of it is there */
};

static const struct layout cifar10 = {
    .files = {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
              {"test_batch.bin"}},
    .all_files = "data_batch_1.bin to data_batch_5.bin and test_batch.bin",
    .names_file = "batches.meta.txt",
    .standard_names = cifar10_names,
    .labelling = {.bytes = 1, .wanted = 0, .class_count = {10}},
    .mean = {0.4914f, 0.4822f, 0.4465f},
    .deviation = {0.2470f, 0.2435f, 0.2616f},
};

#define CIFAR100_FILES .files = {{"train.bin"}, {"test.bin"}}, .all_files = "train.bin and test.bin"
#define CIFAR100_COLOURS .mean = {0.5071f, 0.4865f, 0.4409f}, .deviation = {0.2673f, 0.2564f, 0.2762f}

static const struct layout cifar100_coarse = {
    CIFAR100_FILES,
    .names_file = "coarse_label_names.txt",
    .standard_names = cifar100_coarse_names,
    .labelling = {.bytes = 2, .wanted = 0, .class_count = {COARSE_CLASSES, FINE_CLASSES}},
    CIFAR100_COLOURS,
};

static const struct layout cifar100_fine = {
    CIFAR100_FILES,
    .names_file = "fine_label_names.txt",
    .standard_names = cifar100_fine_names,
    .labelling = {.bytes = 2, .wanted = 1, .class_count = {COARSE_CLASSES, FINE_CLASSES}},
    CIFAR100_COLOURS,
};

struct cifar {
  const struct layout *layout;
  char *folder;
  struct records records[DVT_SUBSET_COUNT][MAX_FILES];
  const char **names; /* from the folder; NULL: the standard ones */
  struct dvt_dataset_info info;
};

static int create(const struct layout *layout, const char *folder, void **dataset, struct dvt_error *error) {
  struct cifar *cifar = calloc(1, sizeof *cifar);
  if (!cifar || !(cifar->folder = strdup(folder))) {
    free(cifar);
    return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  }
  cifar->layout = layout;
  *dataset = cifar;
  return DVT_OK;
}

static int cifar10_create(const struct dvt_value *values, void **dataset, struct dvt_error *error) {
  return create(&cifar10, values[0].string, dataset, error);
}

static int cifar100_create(const struct dvt_value *values, void **dataset, struct dvt_error *error) {
  const int fine = strcmp(values[1].string, "fine") == 0;
  return create(fine ? &cifar100_fine : &cifar100_coarse, values[0].string, dataset, error);
}

static void destroy(void *dataset) {
  struct cifar *cifar = dataset;
  if (!cifar) return;
  for (int subset = 0; subset < DVT_SUBSET_COUNT; subset++)
    for (int k = 0; k < MAX_FILES; k++) records_close(&cifar->records[subset][k]);
  free(cifar->names);
  free(cifar->folder);
  free(cifar);
}

/* The caller frees it; NULL with an error when there is no memory. */
static char *join(const char *folder, const char *file, struct dvt_error *error) {
  const size_t size = strlen(folder) + strlen(file) + 2;
  char *path = malloc(size);
  if (path)
    snprintf(path, size, "%s/%s", folder, file);
  else
    dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  return path;
}

static int check_folder(const struct cifar *cifar, struct dvt_error *error) {
  struct stat status;
  const char *fault = NULL;
  if (stat(cifar->folder, &status) != 0)
    fault = "cannot be found";
  else if (!S_ISDIR(status.st_mode))
    fault = "is no folder";
  if (!fault) return DVT_OK;
  return dvt_fail(error, DVT_ERROR_IO, "%s %s; it should be the folder with %s; docs/data.md tells where to get them",
                  *cifar->folder ? cifar->folder : "''", fault, cifar->layout->all_files);
}

/* One file. */
struct opening {
  struct records *records;
  char *path;
  const struct labelling *labelling;
  int status;
  struct dvt_error error;
  pthread_t thread;
  bool is_apart; /* it has a thread of its own */
};

static void *open_file(void *data) {
  struct opening *opening = data;
  opening->status = records_open(opening->records, opening->path, opening->labelling, &opening->error);
  return NULL;
}

static int begin_opening(struct cifar *cifar, struct records *records, const char *file, struct opening *opening,
                         struct dvt_error *error) {
  *opening = (struct opening){.records = records,
                              .path = join(cifar->folder, file, error),
                              .labelling = &cifar->layout->labelling,
                              .error = DVT_ERROR_INIT};
  if (!opening->path) return DVT_ERROR_MEMORY;
  opening->is_apart = pthread_create(&opening->thread, NULL, open_file, opening) == 0;
  if (!opening->is_apart) open_file(opening);
  return DVT_OK;
}

static int end_opening(struct opening *opening, struct dvt_error *error) {
  if (opening->is_apart) pthread_join(opening->thread, NULL);
  free(opening->path);
  if (opening->status == DVT_OK) return DVT_OK;
  return dvt_fail(error, opening->status, "%s", opening->error.message);
}

/* All files at once: finding the labels means reading all of them. The error is that of the first. */
static int open_files(struct cifar *cifar, struct dvt_error *error) {
  struct opening openings[DVT_SUBSET_COUNT * MAX_FILES];
  int begun = 0, status = DVT_OK;
  for (int subset = 0; subset < DVT_SUBSET_COUNT; subset++)
    for (int k = 0; cifar->layout->files[subset][k] && status == DVT_OK; k++) {
      const char *file = cifar->layout->files[subset][k];
      status = begin_opening(cifar, &cifar->records[subset][k], file, &openings[begun], error);
      begun += status == DVT_OK;
    }
  for (int k = 0; k < begun; k++) {
    const int ended = end_opening(&openings[k], status == DVT_OK ? error : NULL);
    if (status == DVT_OK) status = ended;
  }
  for (int subset = 0; subset < DVT_SUBSET_COUNT; subset++)
    for (int k = 0; k < MAX_FILES; k++) cifar->info.count[subset] += cifar->records[subset][k].count;
  return status;
}

static int read_names(struct cifar *cifar, struct dvt_error *error) {
  char *path = join(cifar->folder, cifar->layout->names_file, error);
  if (!path) return DVT_ERROR_MEMORY;
  const int status = names_read(path, cifar->info.class_count, &cifar->names, error);
  free(path);
  return status;
}

static int init(void *dataset, const struct dvt_host *host, struct dvt_error *error) {
  (void)host;
  struct cifar *cifar = dataset;
  const struct layout *layout = cifar->layout;
  cifar->info = (struct dvt_dataset_info){
      .struct_size = sizeof cifar->info,
      .class_count = layout->labelling.class_count[layout->labelling.wanted],
      .image = {3, CIFAR_SIDE, CIFAR_SIDE},
      .mean = layout->mean,
      .deviation = layout->deviation,
  };
  int status = check_folder(cifar, error);
  if (status == DVT_OK) status = open_files(cifar, error);
  if (status == DVT_OK) status = read_names(cifar, error);
  if (status == DVT_ERROR_IO) dvt_blame(error, status, "path", 0);
  cifar->info.class_names = cifar->names ? cifar->names : layout->standard_names;
  return status;
}

static const struct dvt_dataset_info *info(const void *dataset) { return &((const struct cifar *)dataset)->info; }

static int read_example(const void *dataset, enum dvt_subset subset, uint64_t index, uint8_t *image, uint32_t *label,
                        struct dvt_error *error) {
  const struct records *records = ((const struct cifar *)dataset)->records[subset];
  for (; index >= records->count; records++) index -= records->count;
  *label = records->labels[index];
  return records_read(records, index, image, error);
}

#define CIFAR_OPS                                                                                                      \
  .struct_size = sizeof(struct dvt_dataset_ops), .destroy = destroy, .init = init, .info = info, .read = read_example

const struct dvt_dataset_ops cifar10_ops = {CIFAR_OPS, .create = cifar10_create};
const struct dvt_dataset_ops cifar100_ops = {CIFAR_OPS, .create = cifar100_create};
