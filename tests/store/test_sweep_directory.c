/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sweep_directory.h"
#include "store_test.h"

/* A plan of one axis: the label and the hash of each run is one of the letters. The caller owns it. */
static json_t *plan_of(const char *letters) {
  json_t *labels = json_array(), *runs = json_array();
  for (; *letters; letters++) {
    const char label[] = {*letters, 0};
    json_array_append_new(labels, json_string(label));
    json_array_append_new(runs, json_pack("{s:[s], s:s, s:s}", "labels", label, "hash", label, "state", "pending"));
  }
  return json_pack("{s:s, s:[{s:s, s:o}], s:o}", "name", "sweep", "axes", "key", "seed", "labels", labels, "runs",
                   runs);
}

static struct sweep_directory *open_for(void **state, const char *letters, GError **error) {
  json_auto_t *plan = plan_of(letters);
  return sweep_directory_open(*state, plan, "given: 1\n", error);
}

static struct sweep_directory *open_good(void **state, const char *letters) {
  GError *error = NULL;
  struct sweep_directory *sweep = open_for(state, letters, &error);
  if (error) fail_msg("%s", error->message);
  return sweep;
}

/* Makes the directory of a run, begins and ends it as the program does; "done" leaves results. */
static void run_to(struct sweep_directory *sweep, guint run, const char *end) {
  g_autofree char *path = g_strdup_printf("%s/run-%u", sweep->path, run);
  g_autofree char *results = g_build_filename(path, "results.json", NULL);
  assert_int_equal(g_mkdir(path, 0777), 0);
  assert_true(sweep_directory_begin(sweep, run, path, NULL));
  if (!strcmp(end, "done")) assert_true(g_file_set_contents(results, "{}", -1, NULL));
  if (strcmp(end, "running") != 0)
    assert_true(sweep_directory_end(sweep, run, end, strcmp(end, "failed") ? NULL : "it broke", NULL));
}

/* One letter for each run's state, its first. */
static void expect_states(const struct sweep_directory *sweep, const char *letters) {
  assert_int_equal(sweep_directory_count(sweep, NULL), strlen(letters));
  for (guint k = 0; letters[k]; k++) assert_int_equal(*sweep_directory_state(sweep, k), letters[k]);
}

static char *manifest_path(void **state, const char *folder) {
  g_autofree char *path = scratch_path(state, folder);
  return g_build_filename(path, "sweep.json", NULL);
}

static void a_new_sweep_has_its_files(void **state) {
  AUTO(sweep_directory) sweep = open_good(state, "ab");
  g_autofree char *path = manifest_path(state, "sweep"), *given = scratch_path(state, "sweep/experiment.yaml");
  json_auto_t *manifest = json_load_file(path, 0, NULL), *plan = plan_of("ab");
  assert_true(json_equal(manifest, plan));
  assert_file_equal(given, "given: 1\n");
  expect_states(sweep, "pp");
  assert_null(sweep_directory_folder(sweep, 0));
}

static void every_change_is_on_disk(void **state) {
  AUTO(sweep_directory) sweep = open_good(state, "abc");
  g_autofree char *path = manifest_path(state, "sweep");
  run_to(sweep, 0, "done");
  run_to(sweep, 1, "failed");
  run_to(sweep, 2, "running");
  json_auto_t *manifest = json_load_file(path, 0, NULL), *expected = plan_of("abc");
  json_t *runs = json_object_get(expected, "runs");
  json_object_update_new(json_array_get(runs, 0), json_pack("{s:s, s:s}", "state", "done", "directory", "run-0"));
  json_object_update_new(json_array_get(runs, 1),
                         json_pack("{s:s, s:s, s:s}", "state", "failed", "directory", "run-1", "error", "it broke"));
  json_object_update_new(json_array_get(runs, 2), json_pack("{s:s, s:s}", "state", "running", "directory", "run-2"));
  assert_true(json_equal(manifest, expected));
}

static void is_continued_and_what_ran_when_it_died_is_interrupted(void **state) {
  struct sweep_directory *first = open_good(state, "abcd");
  run_to(first, 0, "done");
  run_to(first, 1, "failed");
  run_to(first, 2, "running");
  sweep_directory_close(first);
  AUTO(sweep_directory) again = open_good(state, "abcd");
  assert_true(g_str_has_suffix(again->path, "/sweep"));
  expect_states(again, "dfip");
  assert_string_equal(sweep_directory_folder(again, 0), "run-0");
}

static void grows_with_its_plan(void **state) {
  struct sweep_directory *first = open_good(state, "bd");
  run_to(first, 1, "done");
  sweep_directory_close(first);
  AUTO(sweep_directory) again = open_good(state, "abcd");
  expect_states(again, "pppd");
  assert_int_equal(scratch_count(*state), 1);
}

static void record(const struct sweep_directory *sweep, guint run, const char *text) {
  g_autofree char *path = g_build_filename(sweep->path, sweep_directory_folder(sweep, run), "run.json", NULL);
  assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void the_choices_of_its_runs_are_told(void **state) {
  AUTO(sweep_directory) sweep = open_good(state, "abcdef");
  json_auto_t *none = sweep_directory_choices(sweep), *expected = json_pack("{s:s, s:s}", "x", "one", "y", "two");
  assert_true(json_is_object(none) && !json_object_size(none));
  for (guint k = 0; k < 5; k++) run_to(sweep, k, "done");
  record(sweep, 0, "{\"choices\": {\"x\": \"one\"}}");
  record(sweep, 1, "{\"choices\": {\"x\": \"two\", \"y\": \"two\"}}");
  record(sweep, 2, "{\"choices\": ");
  record(sweep, 3, "{\"choices\": [\"z\"], \"state\": \"done\"}");
  json_auto_t *choices = sweep_directory_choices(sweep);
  assert_true(json_equal(choices, expected));
}

static void another_sweep_gets_a_directory_of_its_own(void **state) {
  sweep_directory_close(open_good(state, "ab"));
  struct sweep_directory *second = open_good(state, "bc");
  assert_true(g_str_has_suffix(second->path, "/sweep-2"));
  run_to(second, 0, "done");
  sweep_directory_close(second);
  AUTO(sweep_directory) again = open_good(state, "bcd");
  assert_true(g_str_has_suffix(again->path, "/sweep-2"));
  expect_states(again, "dpp");
  assert_int_equal(scratch_count(*state), 2);
}

static void move(void **state, const char *from, const char *to) {
  g_autofree char *old = scratch_path(state, from), *new = scratch_path(state, to);
  assert_int_equal(g_rename(old, new), 0);
}

static void expect_opened(void **state, const char *letters, const char *folder) {
  g_autofree char *path = scratch_path(state, folder);
  AUTO(sweep_directory) sweep = open_good(state, letters);
  assert_string_equal(sweep->path, path);
}

static void is_found_whatever_was_before_it(void **state) {
  expect_opened(state, "xy", "sweep");
  expect_opened(state, "b", "sweep-2");
  move(state, "sweep", "elsewhere");
  expect_opened(state, "b", "sweep-2");
  move(state, "sweep-2", "sweep-9");
  expect_opened(state, "a", "sweep");
  move(state, "sweep", "sweep-10");
  expect_opened(state, "ab", "sweep-9"); /* both are a part of it: by number, not by letter */
  expect_opened(state, "ac", "sweep-10");
  move(state, "sweep-10", "sweep-010");
  expect_opened(state, "ac", "sweep");
}

static void what_is_no_sweep_is_left_alone(void **state) {
  g_autofree char *run = scratch_path(state, "sweep"), *link = scratch_path(state, "sweep-2");
  assert_int_equal(g_mkdir(run, 0777), 0);
  assert_int_equal(symlink("nowhere", link), 0);
  for (guint k = 0; k < 2; k++) {
    AUTO(sweep_directory) sweep = open_good(state, "ab");
    assert_true(g_str_has_suffix(sweep->path, "/sweep-3"));
  }
  assert_int_equal(scratch_count(run), 0);
}

static void a_run_whose_results_are_gone_or_damaged_is_pending(void **state) {
  struct sweep_directory *first = open_good(state, "abc");
  for (guint k = 0; k < 3; k++) run_to(first, k, "done");
  g_autofree char *gone = scratch_path(state, "sweep/run-0/results.json");
  g_autofree char *cut = scratch_path(state, "sweep/run-1/results.json");
  sweep_directory_close(first);
  assert_int_equal(g_unlink(gone), 0);
  assert_true(g_file_set_contents(cut, "{\"own_accuracy\":", -1, NULL));
  AUTO(sweep_directory) again = open_good(state, "abc");
  expect_states(again, "ppd");
}

static void a_run_that_died_after_its_results_is_done(void **state) {
  struct sweep_directory *first = open_good(state, "abc");
  g_autofree char *results = scratch_path(state, "sweep/run-1/results.json");
  g_autofree char *cut = scratch_path(state, "sweep/run-2/results.json");
  for (guint k = 0; k < 3; k++) run_to(first, k, "running");
  assert_true(g_file_set_contents(results, "{}", -1, NULL));
  assert_true(g_file_set_contents(cut, "{\"own_accuracy\":", -1, NULL));
  sweep_directory_close(first);
  AUTO(sweep_directory) again = open_good(state, "abc");
  expect_states(again, "idi");
  assert_string_equal(sweep_directory_folder(again, 1), "run-1");
}

static void only_one_process_works_on_a_sweep(void **state) {
  AUTO(sweep_directory) first = open_good(state, "ab");
  const pid_t child = fork();
  if (!child) {
    g_autoptr(GError) error = NULL;
    const gboolean refused = !open_for(state, "abc", &error) && strstr(error->message, "another dovetail works");
    const struct sweep_directory *other = open_for(state, "xy", NULL); /* its name, but another sweep */
    _exit(refused && other && g_str_has_suffix(other->path, "/sweep-2") ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  expect_states(first, "pp");
}

static void a_parent_that_is_no_folder_is_an_error(void **state) {
  g_autofree char *file = scratch_file(state, "runs", "", 0);
  json_auto_t *plan = plan_of("a");
  GError *error = NULL;
  assert_null(sweep_directory_open(file, plan, "given: 1\n", &error));
  assert_failed_with(&error, file, "this folder for runs cannot be made", NULL);
}

static void a_damaged_manifest_is_an_error_and_stays(void **state) {
#define RUN(more) "{\"axes\": [{\"key\": \"k\", \"labels\": [\"a\"]}], \"runs\": [{" more "}]}"
  static const struct {
    const char *text, *what;
  } damages[] = {
      {"", "line 1, column 0"},
      {"{\"axes\": [\n oops", "line 2, column 5"},
      {"[]", "no list of axes"},
      {"{\"axes\": [], \"axes\": []}", "duplicate"},
      {"{\"axes\": [{\"labels\": []}]}", "axis 1 has no key"},
      {"{\"axes\": [{\"key\": \"k\", \"labels\": [1]}]}", "axis 1 has a label that is no text"},
      {"{\"axes\": []}", "no list of runs"},
      {"{\"axes\": [], \"runs\": []}", "no list of runs"},
      {"{\"axes\": [], \"runs\": [7]}", "run 1 has no list of labels"},
      {RUN("\"labels\": []"), "another number of labels"},
      {RUN("\"labels\": [\"a\"], \"state\": \"done\""), "no hash"},
      {RUN("\"labels\": [\"a\"], \"hash\": \"a\""), "no known state"},
      {RUN("\"labels\": [\"a\"], \"hash\": \"a\", \"state\": \"finished\""), "no known state"},
      {RUN("\"labels\": [\"a\"], \"hash\": \"a\", \"state\": \"done\""), "no directory"},
      {RUN("\"labels\": [\"a\"], \"hash\": \"a\", \"state\": \"done\", \"directory\": \"../x\""), "a wrong directory"},
      {RUN("\"labels\": [\"a\"], \"hash\": \"a\", \"state\": \"done\", \"directory\": 7"), "a wrong directory"},
  };
  g_autofree char *folder = scratch_path(state, "sweep"), *path = manifest_path(state, "sweep");
  assert_int_equal(g_mkdir(folder, 0777), 0);
  for (guint k = 0; k < G_N_ELEMENTS(damages); k++) {
    GError *error = NULL;
    assert_true(g_file_set_contents(path, damages[k].text, -1, NULL));
    assert_null(open_for(state, "a", &error));
    assert_failed_with(&error, path, "is damaged", damages[k].what, NULL);
    assert_file_equal(path, damages[k].text);
    assert_int_equal(scratch_count(*state), 1);
  }
}

static void a_folder_in_place_of_the_manifest_is_an_error(void **state) {
  g_autofree char *path = manifest_path(state, "sweep");
  GError *error = NULL;
  assert_int_equal(g_mkdir_with_parents(path, 0777), 0);
  assert_null(open_for(state, "a", &error));
  assert_failed_with(&error, path, "directory", NULL);
}

static void a_full_disk_is_an_error_and_the_manifest_is_the_last_whole_one(void **state) {
  AUTO(sweep_directory) sweep = open_good(state, "ab");
  g_autofree char *path = manifest_path(state, "sweep"), *before = NULL;
  GError *error = NULL;
  assert_true(g_file_get_contents(path, &before, NULL, NULL));
  limit_file_size(16);
  assert_false(sweep_directory_begin(sweep, 0, "somewhere/run-0", &error));
  limit_file_size(RLIM_INFINITY);
  assert_failed_with(&error, path, NULL);
  assert_file_equal(path, before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(a_new_sweep_has_its_files),
      SCRATCH_TEST(every_change_is_on_disk),
      SCRATCH_TEST(is_continued_and_what_ran_when_it_died_is_interrupted),
      SCRATCH_TEST(grows_with_its_plan),
      SCRATCH_TEST(the_choices_of_its_runs_are_told),
      SCRATCH_TEST(another_sweep_gets_a_directory_of_its_own),
      SCRATCH_TEST(is_found_whatever_was_before_it),
      SCRATCH_TEST(what_is_no_sweep_is_left_alone),
      SCRATCH_TEST(a_run_whose_results_are_gone_or_damaged_is_pending),
      SCRATCH_TEST(a_run_that_died_after_its_results_is_done),
      SCRATCH_TEST(only_one_process_works_on_a_sweep),
      SCRATCH_TEST(a_parent_that_is_no_folder_is_an_error),
      SCRATCH_TEST(a_damaged_manifest_is_an_error_and_stays),
      SCRATCH_TEST(a_folder_in_place_of_the_manifest_is_an_error),
      SCRATCH_TEST(a_full_disk_is_an_error_and_the_manifest_is_the_last_whole_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
