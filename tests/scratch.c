/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib/gstdio.h>

int scratch_setup(void **state) {
  g_autofree char *made = g_dir_make_tmp("dovetail-test-XXXXXX", NULL);
  *state = made ? realpath(made, NULL) : NULL;
  return *state ? 0 : -1;
}

static void remove_all(const char *path) {
  g_autoptr(GDir) folder = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
  for (const char *name; folder && (name = g_dir_read_name(folder));) {
    g_autofree char *inner = g_build_filename(path, name, NULL);
    remove_all(inner);
  }
  g_remove(path);
}

int scratch_teardown(void **state) {
  remove_all(*state);
  free(*state);
  return 0;
}

char *scratch_path(void **state, const char *name) { return g_build_filename(*state, name, NULL); }

char *scratch_file(void **state, const char *name, const void *bytes, gsize size) {
  char *path = scratch_path(state, name);
  g_unlink(path); /* to write over it would make ext4 wait for the disk */
  FILE *file = fopen(path, "wx");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
  return path;
}

char *scratch_copy(void **state, const char *from, const char *name) {
  g_autofree char *bytes = NULL;
  gsize size;
  assert_true(g_file_get_contents(from, &bytes, &size, NULL));
  return scratch_file(state, name, bytes, size);
}

guint scratch_count(const char *folder) {
  g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
  guint count = 0;
  assert_non_null(entries);
  while (g_dir_read_name(entries)) count++;
  return count;
}
