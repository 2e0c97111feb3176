/* SPDX-License-Identifier: MIT */
/** A folder for one test case, and what tests ask of it. */
#ifndef TESTS_STORE_SCRATCH_H
#define TESTS_STORE_SCRATCH_H

#include <glib.h>
#include <sys/resource.h>

/** cmocka's setup and teardown: *state becomes the path of a new folder, which goes with everything in it. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/** A case that has such a folder. */
#define SCRATCH_TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

/** The path of a name in the folder. The caller frees it. */
char *scratch_path(void **state, const char *name);

/** Makes a file and returns its path. The caller frees it. */
char *scratch_file(void **state, const char *name, const void *bytes, gsize size);

/** The bytes of a safetensors file: the header's length, the header, then `size` bytes 0, 1, 2, … */
GByteArray *scratch_safetensors(const char *header, gsize size);

/** How many files a folder has, hidden ones too. */
guint scratch_count(const char *folder);

/**
 * Limits how long this process may make a file, as a full disk does; RLIM_INFINITY ends it. Root is limited likewise.
 */
void limit_file_size(rlim_t bytes);

/** That *error is DOVETAIL_FAILED and its message holds all of the NULL-terminated words; clears it. */
void assert_failed_with(GError **error, ...) G_GNUC_NULL_TERMINATED;

/** That a file has just this text. */
void assert_file_equal(const char *path, const char *text);

#endif
