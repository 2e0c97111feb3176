/* SPDX-License-Identifier: MIT */
#include "records.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

enum { CHUNK = 20 /* records read at once, to find their labels: 60 KiB, the fastest by measuring */ };

/* Read and not mapped: a file that is cut short while it is in use is then an error and no signal. */
static int read_at(const struct records *records, uint64_t index, size_t skip, uint8_t *out, size_t size,
                   struct dvt_error *error) {
  const size_t record = records->label_bytes + CIFAR_IMAGE_SIZE;
  const ssize_t got = pread(records->file, out, size, (off_t)(index * record + skip));
  if (got == (ssize_t)size) return DVT_OK;
  return dvt_fail(error, DVT_ERROR_IO, "%s: cannot read record %" PRIu64 ": %s", records->path, index,
                  got < 0 ? strerror(errno) : "the file has become shorter");
}

static int count_records(struct records *records, uint64_t size, struct dvt_error *error) {
  const uint64_t record = records->label_bytes + CIFAR_IMAGE_SIZE;
  records->count = size / record;
  if (size % record)
    return dvt_fail(error, DVT_ERROR_IO,
                    "%s: record %" PRIu64 " has %" PRIu64 " bytes; every record has %" PRIu64
                    ", so the file is damaged or of another kind",
                    records->path, records->count, size % record, record);
  if (records->count == 0) return dvt_fail(error, DVT_ERROR_IO, "%s holds no record", records->path);
  return DVT_OK;
}

static int check_label(struct records *records, uint64_t index, const uint8_t *labels,
                       const struct labelling *labelling, struct dvt_error *error) {
  for (uint32_t k = 0; k < labelling->bytes; k++)
    if (labels[k] >= labelling->class_count[k])
      return dvt_fail(error, DVT_ERROR_IO, "%s: record %" PRIu64 " has label %u; labels are below %u", records->path,
                      index, labels[k], labelling->class_count[k]);
  records->labels[index] = labels[labelling->wanted];
  return DVT_OK;
}

/* With the images between them: one read a record takes twice as long. */
static int check_labels(struct records *records, const struct labelling *labelling, struct dvt_error *error) {
  uint8_t bytes[CHUNK * (CIFAR_MAX_LABELS + CIFAR_IMAGE_SIZE)];
  const size_t record = records->label_bytes + CIFAR_IMAGE_SIZE;
  for (uint64_t index = 0; index < records->count; index++) {
    const uint64_t place = index % CHUNK, left = records->count - index;
    int status = DVT_OK;
    if (place == 0) status = read_at(records, index, 0, bytes, (left < CHUNK ? left : CHUNK) * record, error);
    if (status == DVT_OK) status = check_label(records, index, bytes + place * record, labelling, error);
    if (status != DVT_OK) return status;
  }
  return DVT_OK;
}

int records_open(struct records *records, const char *path, const struct labelling *labelling,
                 struct dvt_error *error) {
  *records = (struct records){.file = -1, .label_bytes = labelling->bytes, .path = strdup(path)};
  if (!records->path) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  uint64_t size;
  int status = file_open(path, &records->file, &size, error);
  if (status == DVT_OK) status = count_records(records, size, error);
  if (status != DVT_OK) return status;
  records->labels = malloc(records->count);
  if (!records->labels) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  return check_labels(records, labelling, error);
}

void records_close(struct records *records) {
  if (records->path && records->file >= 0) close(records->file);
  free(records->path);
  free(records->labels);
  *records = (struct records){.file = -1};
}

int records_read(const struct records *records, uint64_t index, uint8_t *image, struct dvt_error *error) {
  return read_at(records, index, records->label_bytes, image, CIFAR_IMAGE_SIZE, error);
}
