/* SPDX-License-Identifier: MIT */
/** A folder for one test case, which goes however the case ends. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <glib.h>

/** cmocka's setup and teardown: *state becomes a new folder's path, without links; it goes with all that is in it. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/** A case that has such a folder. */
#define SCRATCH_TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

/** The path of a name in the folder. The caller frees it. */
char *scratch_path(void **state, const char *name);

/** Makes a file and returns its path. The caller frees it. */
char *scratch_file(void **state, const char *name, const void *bytes, gsize size);

/** Copies a file into the folder and returns the path of the copy. The caller frees it. */
char *scratch_copy(void **state, const char *from, const char *name);

/** How many files a folder has, hidden ones too. */
guint scratch_count(const char *folder);

#endif
