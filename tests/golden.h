/* SPDX-License-Identifier: MIT */
/**
 * Values of another implementation, in files that its make_golden.py wrote. What a file lacks fails the test case.
 *
 * A gradient jumps where the input of a ReLU changes sign. Among the six million of a ResNet-20 on 32 images some are
 * within 1e-6 of zero, where float32 cannot tell the sign: on which side they fall is chance, for any implementation,
 * and a single one on the other side moves gradients by 1e-3 or more. So when a tensor disagrees, the step is repeated
 * on images that differ in their last bit, which throws the dice anew; in one and the same throw all tensors must
 * agree, within the tolerance that holds for the first. An error in a formula agrees in none. With a ResNet-8 chance
 * seldom has a part in it, so there are few throws.
 */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include "plugin/module.h"
#include "store/safetensors.h"

enum { GOLDEN_IMAGE = 3 * 32 * 32 };

/**
 * Reads a file beside the tests (GOLDEN_FIXTURES, which meson sets), in the folder DOVETAIL_GOLDEN, or beside the
 * source tree (GOLDEN_SHARED, likewise); NULL when it is in none of them. Ends the program when it is damaged. The
 * caller frees it.
 */
struct safetensors *golden_read(const char *name);

const char *golden_metadata(const struct safetensors *golden, const char *key);

/** The tensor whose name is prefix and name together. */
const struct safetensor *golden_tensor(const struct safetensors *golden, const char *prefix, const char *name);

/** Adds weight · tensor to a sum of its size. */
void golden_add(const struct safetensors *golden, const char *prefix, const char *name, double weight, float *sum);

/** Sets every weight of a module. */
void golden_load(const struct safetensors *golden, const char *prefix, struct module *module);

/**
 * Normalised images [n, 3, 32, 32] and labels [n], of the n examples that the file has under a prefix; past attempt 0
 * the last bit of each number goes up, down or neither, by chance.
 */
void golden_batch(const struct safetensors *golden, const char *prefix, guint attempt, float *images, gint32 *labels);

/** Notes ||values − expected|| / ||expected||, of the tensor as golden_tensor names it, for the golden_check that runs.
 */
void golden_compare(const struct safetensors *golden, const char *prefix, const char *name, const float *values);

/** The same of values [count] that the file does not have. */
void golden_compare_with(const struct safetensors *golden, const char *name, const float *values, const float *expected,
                         gsize count);

/** The same of a loss. */
void golden_compare_loss(const struct safetensors *golden, const char *name, double loss, double expected);

/**
 * Runs a step that compares, in so many throws as it takes, and fails the test case when none agrees in everything.
 * Each `attempt` begins with the values of the file.
 */
void golden_check(const struct safetensors *golden, void (*step)(void *data, guint attempt), void *data);

/** Whether the file's network is so small that chance has little part in it. */
gboolean golden_is_small(const struct safetensors *golden);

#endif
