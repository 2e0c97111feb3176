/* SPDX-License-Identifier: MIT */
/** What the tests of store/ share. */
#ifndef STORE_TEST_H
#define STORE_TEST_H

#include <glib.h>
#include <sys/resource.h>

#include "scratch.h"

/** The bytes of a safetensors file: the header's length, the header, then `size` bytes 0, 1, 2, … */
GByteArray *scratch_safetensors(const char *header, gsize size);

/**
 * Limits how long this process may make a file, as a full disk does; RLIM_INFINITY ends it. Root is limited likewise.
 */
void limit_file_size(rlim_t bytes);

/** That *error is DOVETAIL_FAILED and its message holds all of the NULL-terminated words; clears it. */
void assert_failed_with(GError **error, ...) G_GNUC_NULL_TERMINATED;

/** That a file has just this text. */
void assert_file_equal(const char *path, const char *text);

#endif
