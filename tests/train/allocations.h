/* SPDX-License-Identifier: MIT */
/**
 * Counts what is allocated in this program, by whatever thread and library: malloc and its family are exchanged for
 * ones that count. A program that links this must be linked with export_dynamic.
 */
#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

#include <stddef.h>

struct allocations {
  size_t count;        /**< with none of oneDNN's functions among the callers */
  size_t onednn;       /**< within a function of oneDNN */
  size_t onednn_bytes; /**< the largest of those */
  char first[4096];    /**< who made the first that is in `count`, function by function */
};

/** From now on; forgets what was counted before. */
void allocations_begin(void);

/** What was allocated since allocations_begin, which ends here. */
const struct allocations *allocations_end(void);

#endif
