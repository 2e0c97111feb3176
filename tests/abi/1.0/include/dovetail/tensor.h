/* SPDX-License-Identifier: MIT */
/**
 * Tensors at component borders: dense, row-major, and in 1.0 always in host memory. Images and features are float32
 * [N, C, H, W]; logits are float32 [N, classes]. Inside, a plugin uses whatever layout and type it likes.
 */
#ifndef DOVETAIL_TENSOR_H
#define DOVETAIL_TENSOR_H

#include <dovetail/abi.h>

#define DVT_MAX_RANK 8

enum dvt_dtype { DVT_F32 = 1 };
enum dvt_place { DVT_PLACE_HOST = 1 };

/** A view: whoever made it owns `data`, aligned to 64 bytes. Never changes within ABI 1. */
struct dvt_tensor {
  void *data;
  uint32_t dtype; /**< enum dvt_dtype */
  uint32_t place; /**< enum dvt_place */
  uint32_t rank;  /**< 0 to DVT_MAX_RANK */
  uint32_t reserved;
  int64_t shape[DVT_MAX_RANK]; /**< the first `rank` are set */
};

/** Number of elements. Any thread. */
static inline int64_t dvt_tensor_count(const struct dvt_tensor *tensor) {
  int64_t count = 1;
  for (uint32_t axis = 0; axis < tensor->rank; axis++) count *= tensor->shape[axis];
  return count;
}

#endif
