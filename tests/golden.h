/* SPDX-License-Identifier: MIT */
/** Values of another implementation, in files that its make_golden.py wrote. What a file lacks fails the test case. */
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

/** Sets every weight of a module. */
void golden_load(const struct safetensors *golden, const char *prefix, struct module *module);

/** Normalised images [n, 3, 32, 32] and labels [n], of the n examples that the file has under a prefix. */
void golden_batch(const struct safetensors *golden, const char *prefix, float *images, gint32 *labels);

/** ||values − expected|| / ||expected||. */
double golden_error(const struct safetensor *expected, const float *values);

/** The relative error that a tensor or a loss may have. */
double golden_tolerance(const struct safetensors *golden);

#endif
