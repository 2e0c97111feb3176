/* SPDX-License-Identifier: MIT */
/** A file of labelled images: one or two label bytes, then 3072 bytes, R, G, B, each row by row, 32 x 32. */
#ifndef CIFAR_RECORDS_H
#define CIFAR_RECORDS_H

#include <dovetail/error.h>
#include <stddef.h>

enum { CIFAR_SIDE = 32, CIFAR_IMAGE_SIZE = 3 * CIFAR_SIDE * CIFAR_SIDE, CIFAR_MAX_LABELS = 2 };

/** The label bytes in front of an image. */
struct labelling {
  uint32_t bytes;                         /**< 1 or 2 */
  uint32_t wanted;                        /**< which of them is the label */
  uint32_t class_count[CIFAR_MAX_LABELS]; /**< each byte is below this */
};

/** Zero before records_open. */
struct records {
  int file;
  char *path;
  uint64_t count;
  size_t label_bytes;
  uint8_t *labels; /**< [count], all checked */
};

/** Opens a file and checks its size and every label. On failure *records still is to be closed. */
int records_open(struct records *records, const char *path, const struct labelling *labelling, struct dvt_error *error);
void records_close(struct records *records);

/** Reads image number index < count. Any thread. */
int records_read(const struct records *records, uint64_t index, uint8_t *image, struct dvt_error *error);

#endif
