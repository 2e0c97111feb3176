/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "store/file.h"
#include "store/safetensors.h"
#include "store_test.h"

static gboolean replace(const char *path, const char *text, GError **error) {
  const struct file_part parts[] = {{text, strlen(text)}, {NULL, 0}, {"\n", 1}};
  return file_replace(path, parts, G_N_ELEMENTS(parts), error);
}

static void makes_and_replaces_a_file(void **state) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "file");
  assert_true(replace(path, "first", &error));
  assert_file_equal(path, "first\n");
  assert_true(replace(path, "second, longer", &error));
  assert_file_equal(path, "second, longer\n");
  assert_true(replace(path, "", &error));
  assert_file_equal(path, "\n");
  assert_int_equal(scratch_count(*state), 1);
}

static void others_may_read_as_the_umask_says(void **state) {
  GError *error = NULL;
  struct stat info;
  g_autofree char *path = scratch_path(state, "file");
  const mode_t before = umask(027);
  assert_true(replace(path, "text", &error));
  umask(before);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0640);
}

/* Whoever has the old file open or mapped goes on reading it. */
static void a_mapped_file_stays_as_it_was(void **state) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "file");
  assert_true(replace(path, "first", &error));
  g_autoptr(GMappedFile) map = file_map(path, &error);
  assert_true(replace(path, "other", &error));
  assert_memory_equal(g_mapped_file_get_contents(map), "first\n", 6);
}

static void a_relative_path_works(void **state) {
  GError *error = NULL;
  g_autofree char *here = g_get_current_dir(), *path = scratch_path(state, "file");
  assert_int_equal(g_chdir(*state), 0);
  const gboolean good = replace("file", "text", &error);
  assert_int_equal(g_chdir(here), 0);
  assert_true(good);
  assert_file_equal(path, "text\n");
}

static void a_name_may_be_as_long_as_can_be(void **state) {
  GError *error = NULL;
  g_autofree char *longest = g_strnfill(255, 'x'), *path = scratch_path(state, longest);
  assert_true(replace(path, "text", &error));
  assert_file_equal(path, "text\n");
}

/* One byte less than it takes, and half of it: writing fails early, and late. */
static void a_full_disk_leaves_the_old_file(void **state) {
  GError *error = NULL;
  g_autofree char *path = scratch_file(state, "file", "old", 3), *text = g_strnfill(100000, 'x');
  static const rlim_t limits[] = {0, 50000, 100000};
  for (gsize k = 0; k < G_N_ELEMENTS(limits); k++) {
    limit_file_size(limits[k]);
    const gboolean good = replace(path, text, &error);
    limit_file_size(RLIM_INFINITY);
    assert_false(good);
    assert_failed_with(&error, path, "cannot be written: File too large", NULL);
    assert_file_equal(path, "old");
    assert_int_equal(scratch_count(*state), 1);
  }
  limit_file_size(100001);
  const gboolean good = replace(path, text, &error);
  limit_file_size(RLIM_INFINITY);
  assert_true(good);
}

static void a_component_on_a_full_disk_leaves_the_old_one(void **state) {
  GError *error = NULL;
  g_autofree float *values = g_new0(float, 10000);
  g_autofree char *path = scratch_path(state, "file");
  const struct safetensor old = {"old", "F32", 1, {1}, values, 4}, tensor = {"new", "F32", 1, {10000}, values, 40000};
  assert_true(safetensors_write(path, &old, 1, NULL, &error));
  limit_file_size(40000);
  const gboolean good = safetensors_write(path, &tensor, 1, NULL, &error);
  limit_file_size(RLIM_INFINITY);
  assert_false(good);
  assert_failed_with(&error, path, "cannot be written: File too large", NULL);
  AUTO(safetensors) file = safetensors_read(path, &error);
  assert_non_null(file);
  assert_non_null(safetensors_find(file, "old"));
  assert_int_equal(scratch_count(*state), 1);
}

static void a_file_for_a_folder_is_named(void **state) {
  GError *error = NULL;
  g_autofree char *file = scratch_file(state, "file", "old", 3), *path = g_build_filename(file, "inner", NULL);
  assert_false(replace(path, "text", &error));
  assert_failed_with(&error, path, "folder", file, "Not a directory", NULL);
  assert_file_equal(file, "old");
}

static void a_missing_folder_is_named(void **state) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "none/inner"), *folder = scratch_path(state, "none");
  assert_false(replace(path, "text", &error));
  assert_failed_with(&error, path, "folder", folder, "No such file or directory", NULL);
}

static void a_folder_stays_a_folder(void **state) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "folder");
  assert_int_equal(g_mkdir(path, 0700), 0);
  assert_false(replace(path, "text", &error));
  assert_failed_with(&error, path, "Is a directory", NULL);
  assert_true(g_file_test(path, G_FILE_TEST_IS_DIR));
  assert_int_equal(scratch_count(*state), 1); /* the temporary file went */
}

/* In /proc not even root can make a file. */
static void an_unwritable_folder_is_an_error(void **state) {
  GError *error = NULL;
  (void)state;
  assert_false(replace("/proc/self/file", "text", &error));
  assert_failed_with(&error, "/proc/self/file: cannot be written: ", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(makes_and_replaces_a_file),
      SCRATCH_TEST(others_may_read_as_the_umask_says),
      SCRATCH_TEST(a_mapped_file_stays_as_it_was),
      SCRATCH_TEST(a_relative_path_works),
      SCRATCH_TEST(a_name_may_be_as_long_as_can_be),
      SCRATCH_TEST(a_full_disk_leaves_the_old_file),
      SCRATCH_TEST(a_component_on_a_full_disk_leaves_the_old_one),
      SCRATCH_TEST(a_file_for_a_folder_is_named),
      SCRATCH_TEST(a_missing_folder_is_named),
      SCRATCH_TEST(a_folder_stays_a_folder),
      SCRATCH_TEST(an_unwritable_folder_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
