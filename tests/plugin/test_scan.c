/* SPDX-License-Identifier: MIT */
/* On the plugins of broken/ and loading/. A script in place of dovetail-scan writes down when it is run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "plugin/scan.h"
#include "scratch.h"

static char *cache_folder; /* GLib reads XDG_CACHE_HOME once, so all cases have the same */
static char *scanner;      /* the real one */

static char *cache_path(void) { return g_build_filename(cache_folder, "dovetail", "plugins.json", NULL); }

/* Every case begins with a scanner that counts its runs, which nothing in the cache can be from. */
static int begin(void **state) {
  if (scratch_setup(state)) return -1;
  g_autofree char *log = scratch_path(state, "runs"), *text = NULL;
  text = g_strdup_printf("#!/bin/sh\necho run >>'%s'\nexec '%s' \"$@\"\n", log, scanner);
  g_autofree char *script = scratch_path(state, "scanner");
  if (!g_file_set_contents_full(script, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0700, NULL)) return -1;
  return !g_setenv("DOVETAIL_SCAN", script, TRUE);
}

static guint runs(void **state) {
  g_autofree char *log = scratch_path(state, "runs");
  GStatBuf info;
  return g_stat(log, &info) ? 0 : (guint)info.st_size / 4;
}

static char *broken(const char *file) { return g_build_filename(g_getenv("BROKEN_PLUGINS"), file, NULL); }

static char *loading(const char *file) { return g_build_filename(g_getenv("LOADING_PLUGINS"), file, NULL); }

/* Scans one file; "" when it is a plugin, else the reason. The caller frees it. */
static char *verdict(char *path) {
  json_t *all = scan_files((char *[]){path}, 1);
  assert_int_equal(json_array_size(all), 1);
  const json_t *found = json_array_get(all, 0);
  assert_true(found_is_good(found));
  const char *reason = json_string_value(json_object_get(found, "refused"));
  char *copy = g_strdup(reason ? reason : "");
  json_decref(all);
  return copy;
}

static void expect(char *path, const char *expected) {
  g_autofree char *said = verdict(path);
  assert_string_equal(said, expected);
}

static void files_are_told_in_their_order(void **state) {
  (void)state;
  char *paths[] = {broken("abort.so"), loading("counted.so"), broken("exit.so"), broken("good.so")};
  json_t *all = scan_files(paths, G_N_ELEMENTS(paths));
  const char *name, *other, *reason;
  assert_int_equal(json_unpack(all, "[{s:s}, {s:[{s:s}]}, {}, {s:[{s:s}]}]", "refused", &reason, "plugins", "name",
                               &name, "plugins", "name", &other),
                   0);
  assert_string_equal(reason, "crashed while it was loaded: signal 6 (Aborted)");
  assert_string_equal(name, "counted");
  assert_string_equal(other, "good");
  json_decref(all);
  for (gsize k = 0; k < G_N_ELEMENTS(paths); k++) g_free(paths[k]);
}

static void a_file_that_never_loads_is_stopped(void **state) {
  g_autofree char *hang = loading("hang.so"), *good = broken("good.so");
  g_autofree char *limit = g_strdup(g_getenv("DOVETAIL_SCAN_SECONDS"));
  char *paths[] = {hang, scratch_copy(state, hang, "hang.so"), good};
  g_setenv("DOVETAIL_SCAN_SECONDS", "3", TRUE);
  json_t *all = scan_files(paths, G_N_ELEMENTS(paths));
  g_setenv("DOVETAIL_SCAN_SECONDS", limit ? limit : "", TRUE);
  for (gsize k = 0; k < 2; k++)
    assert_string_equal(json_string_value(json_object_get(json_array_get(all, k), "refused")),
                        "took longer than 3 s to load");
  assert_non_null(json_object_get(json_array_get(all, 2), "plugins"));
  json_decref(all);
  g_free(paths[1]);
}

static void what_is_known_is_not_scanned_again(void **state) {
  g_autofree char *good = broken("good.so"), *file = scratch_copy(state, good, "x.so"), *exits = broken("exit.so");
  for (int k = 0; k < 2; k++) {
    expect(file, "");
    assert_int_equal(runs(state), 1);
  }
  expect(exits, "exited with status 3 while it was loaded");
  expect(exits, "exited with status 3 while it was loaded");
  assert_int_equal(runs(state), 2);
}

static void a_changed_file_is_scanned_again(void **state) {
  g_autofree char *good = broken("good.so"), *null = broken("null-ops.so"), *file = scratch_copy(state, good, "x.so");
  expect(file, "");
  g_free(scratch_copy(state, null, "x.so"));
  expect(file, "its operations table is NULL");
  assert_int_equal(runs(state), 2);
}

static void a_file_whose_rights_changed_is_scanned_again(void **state) {
  g_autofree char *good = broken("good.so"), *file = scratch_copy(state, good, "x.so");
  expect(file, "");
  assert_int_equal(g_chmod(file, 0700), 0);
  expect(file, "");
  assert_int_equal(runs(state), 2);
}

static void another_time_limit_forgets_all(void **state) {
  g_autofree char *good = broken("good.so"), *limit = g_strdup(g_getenv("DOVETAIL_SCAN_SECONDS"));
  expect(good, "");
  g_setenv("DOVETAIL_SCAN_SECONDS", "59", TRUE);
  expect(good, "");
  g_setenv("DOVETAIL_SCAN_SECONDS", limit ? limit : "", TRUE);
  assert_int_equal(runs(state), 2);
}

/* The cache's text with each `old` exchanged. */
static char *cache_with(const char *old, const char *new) {
  g_autofree char *path = cache_path(), *text = NULL;
  assert_true(g_file_get_contents(path, &text, NULL, NULL));
  GString *changed = g_string_new(text);
  assert_true(g_string_replace(changed, old, new, 0) > 0);
  return g_string_free(changed, FALSE);
}

static void a_damaged_cache_is_rebuilt(void **state) {
  g_autofree char *good = broken("good.so"), *path = cache_path();
  expect(good, "");
  char *damaged[] = {
      g_strdup(""),
      g_strdup("[]"),
      g_strdup("{\"for\": 3, \"files\": {}}"),
      cache_with("}", ""),
      cache_with("\"files\"", "\"folders\""),
      cache_with("\"stamp\"", "\"stump\""),
      cache_with("\"kind\": 4", "\"kind\": 9"),
      cache_with("\"name\": \"good\"", "\"name\": null"),
  };
  for (guint k = 0; k < G_N_ELEMENTS(damaged); k++) {
    assert_true(g_file_set_contents(path, damaged[k], -1, NULL));
    expect(good, "");
    expect(good, "");
    assert_int_equal(runs(state), k + 2);
    g_free(damaged[k]);
  }
}

static void a_pipe_in_place_of_the_cache_is_not_waited_for(void **state) {
  g_autofree char *good = broken("good.so"), *path = cache_path();
  expect(good, "");
  g_remove(path);
  assert_int_equal(mkfifo(path, 0600), 0);
  expect(good, "");
  assert_int_equal(runs(state), 2);
  assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
}

static void files_that_went_are_forgotten(void **state) {
  g_autofree char *good = broken("good.so"), *null = broken("null-ops.so"), *path = cache_path(), *text = NULL;
  g_autofree char *file = scratch_copy(state, good, "will-go.so");
  expect(file, "");
  g_unlink(file);
  expect(null, "its operations table is NULL");
  assert_true(g_file_get_contents(path, &text, NULL, NULL));
  assert_non_null(strstr(text, "null-ops.so"));
  assert_null(strstr(text, "will-go.so"));
}

static void paths_of_any_bytes_are_known_again(void **state) {
  g_autofree char *good = broken("good.so"), *file = scratch_copy(state, good, "100%\xff 'x'.so");
  expect(file, "");
  expect(file, "");
  assert_int_equal(runs(state), 1);
}

static void without_a_cache_all_is_scanned(void **state) {
  g_autofree char *good = broken("good.so"), *path = cache_path(), *folder = g_path_get_dirname(path);
  expect(good, "");
  g_unlink(path);
  g_rmdir(folder);
  assert_true(g_file_set_contents(folder, "in the way of a folder", -1, NULL));
  expect(good, "");
  expect(good, "");
  g_unlink(folder);
  assert_int_equal(runs(state), 3);
}

static void a_scanner_that_fails_is_told_and_tried_again(void **state) {
  g_autofree char *good = broken("good.so"), *script = g_strdup(g_getenv("DOVETAIL_SCAN"));
  g_autofree char *missing = scratch_path(state, "missing");
  g_setenv("DOVETAIL_SCAN", missing, TRUE);
  g_autofree char *said = verdict(good);
  assert_true(g_str_has_prefix(said, "could not be looked at: dovetail-scan: "));
  assert_true(
      g_file_set_contents_full(script, "#!/bin/sh\necho '[{}]'\n", -1, G_FILE_SET_CONTENTS_CONSISTENT, 0700, NULL));
  g_setenv("DOVETAIL_SCAN", script, TRUE);
  expect(good, "could not be looked at: dovetail-scan: it gave no answer");
  g_setenv("DOVETAIL_SCAN", scanner, TRUE);
  expect(good, "");
}

#define SCAN_TEST(function) cmocka_unit_test_setup_teardown(function, begin, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      SCAN_TEST(files_are_told_in_their_order),
      SCAN_TEST(a_file_that_never_loads_is_stopped),
      SCAN_TEST(what_is_known_is_not_scanned_again),
      SCAN_TEST(a_changed_file_is_scanned_again),
      SCAN_TEST(what_is_known_is_not_scanned_again),
      SCAN_TEST(a_file_whose_rights_changed_is_scanned_again),
      SCAN_TEST(another_time_limit_forgets_all),
      SCAN_TEST(a_damaged_cache_is_rebuilt),
      SCAN_TEST(a_pipe_in_place_of_the_cache_is_not_waited_for),
      SCAN_TEST(files_that_went_are_forgotten),
      SCAN_TEST(paths_of_any_bytes_are_known_again),
      SCAN_TEST(without_a_cache_all_is_scanned),
      SCAN_TEST(a_scanner_that_fails_is_told_and_tried_again),
  };
  void *state;
  scanner = g_strdup(g_getenv("DOVETAIL_SCAN"));
  if (!scanner || scratch_setup(&state)) return g_printerr("DOVETAIL_SCAN is not set: docs/testing.md\n"), 2;
  cache_folder = state;
  g_setenv("XDG_CACHE_HOME", cache_folder, TRUE);
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  scratch_teardown(&state);
  g_free(scanner);
  return failed;
}
