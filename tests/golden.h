/* SPDX-License-Identifier: MIT */
/**
 * Finds files of another implementation's values: beside the tests (GOLDEN_FIXTURES, which meson sets), in the folder
 * DOVETAIL_GOLDEN, or beside the source tree (GOLDEN_SHARED, likewise).
 */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <glib.h>

/** The path of a file, or NULL when it is in none of the folders. The caller frees it. */
static inline char *golden_find(const char *name) {
  static const char *const folders[] = {"GOLDEN_FIXTURES", "DOVETAIL_GOLDEN", "GOLDEN_SHARED"};
  for (guint k = 0; k < G_N_ELEMENTS(folders); k++) {
    const char *folder = g_getenv(folders[k]);
    g_autofree char *path = g_build_filename(folder ? folder : "", name, NULL);
    if (folder && g_file_test(path, G_FILE_TEST_IS_REGULAR)) return g_steal_pointer(&path);
  }
  return NULL;
}

#endif
