/* SPDX-License-Identifier: MIT */
/**
 * Datasets: labelled images by index. Order, augmentation, normalisation and prefetching are the host's.
 *
 * Life: create → init → info, read* → destroy.
 */
#ifndef DOVETAIL_DATASET_H
#define DOVETAIL_DATASET_H

#include <dovetail/error.h>
#include <dovetail/host.h>
#include <dovetail/param.h>

/** The subsets that a dataset has; there are two in all of ABI 1. */
enum dvt_subset { DVT_SUBSET_TRAIN = 0, DVT_SUBSET_TEST = 1, DVT_SUBSET_COUNT = 2 };

struct dvt_dataset_info {
  uint32_t struct_size;
  uint32_t class_count;
  int64_t image[3];                 /**< C, H, W */
  uint64_t count[DVT_SUBSET_COUNT]; /**< examples in each subset, at least 1 */
  const char *const *class_names;   /**< class_count of them, by label; unique */
  const float *mean;                /**< [C], of the training subset, on the scale where 255 is 1 */
  const float *deviation;           /**< [C], standard deviation, likewise; above 0 */
};

struct dvt_dataset_ops {
  uint32_t struct_size;
  uint32_t reserved;

  /**
   * Makes a dataset from checked parameters; touches no file and may not call the host. values has a value for each
   * row of the parameter table and lives until the call returns.
   * *dataset belongs to the host, which gives it to `destroy`.
   * On failure *dataset is untouched and error says what is wrong.
   * [any & before anything else]
   */
  int (*create)(const struct dvt_value *values, void **dataset, struct dvt_error *error);

  /**
   * Frees the dataset; takes NULL.
   * [one & after create, also when init failed; no read under way]
   */
  void (*destroy)(void *dataset);

  /**
   * Opens the data and checks what can be checked at once.
   * host lives until `destroy` returns.
   * Fails with a message that names the file, and the record where one is wrong; the host then destroys the dataset.
   * [one & once, after create]
   */
  int (*init)(void *dataset, const struct dvt_host *host, struct dvt_error *error);

  /**
   * Sizes and names.
   * The dataset owns what is returned; it lives until `destroy`.
   * [any & after init]
   */
  const struct dvt_dataset_info *(*info)(const void *dataset);

  /**
   * Reads example `index` of a subset: the same bytes every time. index < count[subset].
   * The host owns image, u8 [C, H, W], and label; the plugin writes label < class_count.
   * On failure both are undefined and error names file and record.
   * [any & after init]
   */
  int (*read)(const void *dataset, enum dvt_subset subset, uint64_t index, uint8_t *image, uint32_t *label,
              struct dvt_error *error);
};

#endif
