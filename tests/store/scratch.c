/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "base/error.h"

int scratch_setup(void **state) {
  *state = g_dir_make_tmp("dovetail-test-XXXXXX", NULL);
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
  g_free(*state);
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

GByteArray *scratch_safetensors(const char *header, gsize size) {
  const guint64 length = GUINT64_TO_LE(strlen(header));
  GByteArray *bytes = g_byte_array_new();
  g_byte_array_append(bytes, (const guint8 *)&length, sizeof length);
  g_byte_array_append(bytes, (const guint8 *)header, (guint)strlen(header));
  for (gsize k = 0; k < size; k++) g_byte_array_append(bytes, &(guint8){(guint8)k}, 1);
  return bytes;
}

guint scratch_count(const char *folder) {
  g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
  guint count = 0;
  assert_non_null(entries);
  while (g_dir_read_name(entries)) count++;
  return count;
}

void limit_file_size(rlim_t bytes) {
  struct rlimit limit;
  signal(SIGXFSZ, SIG_IGN); /* so that write fails instead */
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = MIN(bytes, limit.rlim_max);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

void assert_failed_with(GError **error, ...) {
  va_list words;
  assert_non_null(*error);
  assert_true((*error)->domain == DOVETAIL_ERROR);
  assert_int_equal((*error)->code, DOVETAIL_FAILED);
  va_start(words, error);
  for (const char *word; (word = va_arg(words, const char *));)
    if (!strstr((*error)->message, word)) fail_msg("'%s' is not in: %s", word, (*error)->message);
  va_end(words);
  g_clear_error(error);
}

void assert_file_equal(const char *path, const char *text) {
  g_autofree char *found = NULL;
  assert_true(g_file_get_contents(path, &found, NULL, NULL));
  assert_string_equal(found, text);
}
