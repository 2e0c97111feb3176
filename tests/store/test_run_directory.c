/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/run.h"
#include "store/safetensors.h"
#include "store_test.h"

static struct run *create(const char *parent, const char *name, GError **error) {
  json_auto_t *info =
      json_pack("{s:s, s:s, s:[{s:s}]}", "dovetail", "1.2.3", "command", "run x.yaml", "plugins", "name", "resnet");
  return run_create(parent, name, "given: 1\n", "resolved: 1\n", info, error);
}

static json_t *load(const struct run *run, const char *name) {
  g_autofree char *path = g_build_filename(run->path, name, NULL);
  json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(json);
  return json;
}

static const char *text_of(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static void assert_date(const json_t *object, const char *key) {
  const char *text = text_of(object, key);
  assert_non_null(text);
  assert_true(g_regex_match_simple("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$", text, 0, 0));
  g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(text, NULL), now = g_date_time_new_now_utc();
  assert_non_null(date);
  assert_in_range(g_date_time_to_unix(now) - g_date_time_to_unix(date), 0, 60);
}

static void a_new_run_has_its_files(void **state) {
  GError *error = NULL;
  g_autofree char *parent = scratch_path(state, "deep/er/runs"), *expected = g_build_filename(parent, "name", NULL);
  AUTO(run) run = create(parent, "name", &error);
  assert_non_null(run);
  assert_string_equal(run->path, expected);
  assert_int_equal(scratch_count(run->path), 4);
  g_autofree char *given = g_build_filename(run->path, "experiment.yaml", NULL);
  g_autofree char *resolved = g_build_filename(run->path, "resolved.yaml", NULL);
  g_autofree char *metrics = g_build_filename(run->path, "metrics.jsonl", NULL);
  assert_file_equal(given, "given: 1\n");
  assert_file_equal(resolved, "resolved: 1\n");
  assert_file_equal(metrics, "");
  json_auto_t *info = load(run, "run.json");
  assert_string_equal(text_of(info, "state"), "running");
  assert_string_equal(text_of(info, "dovetail"), "1.2.3");
  assert_string_equal(text_of(info, "command"), "run x.yaml");
  assert_string_equal(text_of(json_array_get(json_object_get(info, "plugins"), 0), "name"), "resnet");
  assert_true(json_is_string(json_object_get(json_object_get(info, "machine"), "cpu")));
  assert_date(info, "start");
  assert_null(json_object_get(info, "end"));
}

static void a_taken_name_gets_a_counter(void **state) {
  GError *error = NULL;
  const char *const endings[] = {"/name", "/name-2", "/name-5", "/name-6"};
  g_autofree char *file = scratch_file(state, "name-3", "text", 4), *link = scratch_path(state, "name-4");
  assert_int_equal(symlink("nowhere", link), 0);
  for (gsize k = 0; k < G_N_ELEMENTS(endings); k++) {
    AUTO(run) run = create(*state, "name", &error);
    assert_non_null(run);
    assert_true(g_str_has_suffix(run->path, endings[k]));
  }
  assert_file_equal(file, "text");
}

enum { PROCESSES = 6, STARTS = 5 };

/* Makes runs as soon as the parent closes the pipe; each run says which it is. */
static void start_runs(const char *parent, int process, int pipe_end) {
  char byte;
  if (read(pipe_end, &byte, 1)) _exit(1);
  for (int start = 0; start < STARTS; start++) {
    g_autofree char *who = g_strdup_printf("%d.%d", process, start);
    json_auto_t *info = json_object();
    AUTO(run) run = run_create(parent, "name", who, "", info, NULL);
    if (!run) _exit(1);
  }
  _exit(0);
}

static void parallel_starts_share_no_directory(void **state) {
  int ends[2];
  g_autofree char *parent = scratch_path(state, "runs");
  assert_int_equal(pipe(ends), 0);
  for (int process = 0; process < PROCESSES; process++) {
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child) continue;
    close(ends[1]);
    start_runs(parent, process, ends[0]);
  }
  close(ends[0]);
  close(ends[1]);
  for (int process = 0; process < PROCESSES; process++) {
    int status;
    assert_true(wait(&status) > 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (int k = 1; k <= PROCESSES * STARTS; k++) {
    g_autofree char *suffix = k > 1 ? g_strdup_printf("-%d", k) : g_strdup("");
    g_autofree char *path = g_strdup_printf("%s/name%s/experiment.yaml", parent, suffix);
    char *who = NULL;
    assert_true(g_file_get_contents(path, &who, NULL, NULL));
    assert_true(g_hash_table_add(seen, who)); /* no two runs are the same start */
  }
  assert_int_equal(scratch_count(parent), PROCESSES * STARTS);
}

static void metrics_are_lines_that_are_there_at_once(void **state) {
  GError *error = NULL;
  AUTO(run) run = create(*state, "name", &error);
  g_autofree char *path = g_build_filename(run->path, "metrics.jsonl", NULL);
  assert_true(run_metric(run, json_pack("{s:i, s:f}", "step", 1, "loss", 0.1), &error));
  assert_file_equal(path, "{\"step\":1,\"loss\":0.1}\n");
  assert_true(run_metric(run, json_pack("{s:s}", "note", "two\nlines"), &error));
  assert_file_equal(path, "{\"step\":1,\"loss\":0.1}\n{\"note\":\"two\\nlines\"}\n");
}

static void what_is_no_number_is_no_metric(void **state) {
  GError *error = NULL;
  AUTO(run) run = create(*state, "name", &error);
  g_autofree char *path = g_build_filename(run->path, "metrics.jsonl", NULL);
  assert_false(run_metric(run, json_pack("{s:f}", "loss", (double)NAN), &error));
  assert_failed_with(&error, path, "not finite", NULL);
  assert_file_equal(path, "");
}

static void a_lost_metric_is_reported(void **state) {
  GError *error = NULL;
  AUTO(run) run = create(*state, "name", &error);
  limit_file_size(10);
  const gboolean good = run_metric(run, json_pack("{s:s}", "text", "longer than ten bytes"), &error);
  limit_file_size(RLIM_INFINITY);
  assert_false(good);
  assert_failed_with(&error, run->path, "metrics.jsonl: cannot be written: File too large", NULL);
}

static void results_are_written_whole(void **state) {
  GError *error = NULL;
  AUTO(run) run = create(*state, "name", &error);
  json_auto_t *results = json_pack("{s:f}", "own_accuracy", 0.795);
  assert_true(run_results(run, results, &error));
  json_auto_t *found = load(run, "results.json");
  assert_true(json_equal(found, results));
  assert_false(run_results(run, NULL, &error));
  assert_failed_with(&error, run->path, "results.json", "not finite", NULL);
  json_auto_t *still = load(run, "results.json");
  assert_true(json_equal(still, results));
}

static void what_is_recorded_is_there_at_once(void **state) {
  GError *error = NULL;
  AUTO(run) run = create(*state, "name", &error);
  assert_null(run_recorded(run->path, "choices"));
  assert_true(run_record(run, "choices", json_pack("{s:s}", "key", "way"), &error));
  json_auto_t *choices = run_recorded(run->path, "choices"), *info = load(run, "run.json");
  assert_string_equal(text_of(choices, "key"), "way");
  assert_string_equal(text_of(info, "state"), "running");
}

static void of_what_is_no_run_nothing_is_recorded(void **state) {
  static const char *const texts[] = {"", "{", "[]", "{\"state\": 1, \"state\": 2}"};
  g_autofree char *path = scratch_path(state, "run.json");
  assert_null(run_recorded(*state, "state"));
  for (gsize k = 0; k < G_N_ELEMENTS(texts); k++) {
    assert_true(g_file_set_contents(path, texts[k], -1, NULL));
    assert_null(run_recorded(*state, "state"));
  }
  g_remove(path);
  assert_int_equal(mkfifo(path, 0600), 0); /* which nobody writes: opened as it is, it would be waited for */
  assert_null(run_recorded(*state, "state"));
}

static void finishing_says_how_and_when(void **state) {
  GError *error = NULL;
  AUTO(run) run = create(*state, "name", &error);
  assert_true(run_finish(run, "interrupted", NULL, &error));
  json_auto_t *info = load(run, "run.json");
  assert_string_equal(text_of(info, "state"), "interrupted");
  assert_string_equal(text_of(info, "command"), "run x.yaml");
  assert_null(json_object_get(info, "error"));
  assert_date(info, "start");
  assert_date(info, "end");
}

static void finishing_says_why_it_failed(void **state) {
  GError *error = NULL;
  AUTO(run) run = create(*state, "name", &error);
  assert_true(run_finish(run, "failed", "a loss of \xff is not finite", &error));
  json_auto_t *info = load(run, "run.json");
  assert_string_equal(text_of(info, "state"), "failed");
  assert_string_equal(text_of(info, "error"), "a loss of \357\277\275 is not finite");
}

static void an_unfinished_run_stays_running(void **state) {
  GError *error = NULL;
  struct run *run = create(*state, "name", &error);
  g_autofree char *path = g_build_filename(run->path, "run.json", NULL);
  run_close(run);
  run_close(NULL);
  json_auto_t *info = json_load_file(path, 0, NULL);
  assert_string_equal(text_of(info, "state"), "running");
}

static void an_end_that_cannot_be_written_is_reported(void **state) {
  GError *error = NULL;
  AUTO(run) run = create(*state, "name", &error);
  limit_file_size(10);
  const gboolean good = run_finish(run, "done", NULL, &error);
  limit_file_size(RLIM_INFINITY);
  assert_false(good);
  assert_failed_with(&error, run->path, "run.json: cannot be written", NULL);
  json_auto_t *info = load(run, "run.json");
  assert_string_equal(text_of(info, "state"), "running");
}

static void components_have_a_folder(void **state) {
  GError *error = NULL;
  AUTO(run) run = create(*state, "name", &error);
  const char *const names[] = {"a.extractor", "../a", "a/b", "a%2Fb", "é"};
  g_autofree char *folder = g_build_filename(run->path, "components", NULL);
  for (gsize k = 0; k < G_N_ELEMENTS(names); k++) {
    g_autofree char *path = run_component_path(run, names[k]);
    assert_true(safetensors_write(path, NULL, 0, NULL, &error));
    assert_int_equal(scratch_count(folder), k + 1);
  }
  g_autofree char *first = g_build_filename(folder, "a.extractor.safetensors", NULL);
  assert_true(g_file_test(first, G_FILE_TEST_IS_REGULAR));
}

static void fails_to_create(const char *parent, const char *name, const char *word, const char *other) {
  GError *error = NULL;
  assert_null(create(parent, name, &error));
  assert_failed_with(&error, word, other, NULL);
}

static void a_parent_that_cannot_be_is_named(void **state) {
  g_autofree char *file = scratch_file(state, "file", "text", 4), *inner = g_build_filename(file, "runs", NULL);
  fails_to_create(file, "name", file, "cannot be made");
  fails_to_create(inner, "name", inner, "cannot be made: Not a directory");
  fails_to_create("/proc/self/runs", "name", "/proc/self/runs", "cannot be made");
  fails_to_create("/proc/self", "name", "/proc/self/name", "cannot be made");
  assert_file_equal(file, "text");
}

static void a_name_that_cannot_be_is_told(void **state) {
  const char *const names[] = {"", ".", "..", "a/b", "/"};
  for (gsize k = 0; k < G_N_ELEMENTS(names); k++) fails_to_create(*state, names[k], names[k], "cannot be the name");
  g_autofree char *longest = g_strnfill(256, 'x');
  fails_to_create(*state, longest, "cannot be made", "name too long");
  assert_int_equal(scratch_count(*state), 0);
}

static void a_full_disk_is_told_at_the_start(void **state) {
  GError *error = NULL;
  limit_file_size(4);
  AUTO(run) run = create(*state, "name", &error);
  limit_file_size(RLIM_INFINITY);
  assert_null(run);
  assert_failed_with(&error, *state, "experiment.yaml: cannot be written: File too large", NULL);
}

static void checksums_are_sha256(void **state) {
  GError *error = NULL;
  g_autofree char *file = scratch_file(state, "file", "abc", 3), *empty = scratch_file(state, "empty", "", 0);
  g_autofree char *of_file = run_checksum(file, &error), *of_empty = run_checksum(empty, &error);
  assert_string_equal(of_file, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert_string_equal(of_empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_null(run_checksum(*state, &error));
  assert_failed_with(&error, *state, "is a directory", NULL);
  assert_null(run_checksum("/nowhere/file", &error));
  assert_failed_with(&error, "/nowhere/file", "No such file", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(a_new_run_has_its_files),
      SCRATCH_TEST(a_taken_name_gets_a_counter),
      SCRATCH_TEST(parallel_starts_share_no_directory),
      SCRATCH_TEST(metrics_are_lines_that_are_there_at_once),
      SCRATCH_TEST(what_is_no_number_is_no_metric),
      SCRATCH_TEST(a_lost_metric_is_reported),
      SCRATCH_TEST(results_are_written_whole),
      SCRATCH_TEST(what_is_recorded_is_there_at_once),
      SCRATCH_TEST(of_what_is_no_run_nothing_is_recorded),
      SCRATCH_TEST(finishing_says_how_and_when),
      SCRATCH_TEST(finishing_says_why_it_failed),
      SCRATCH_TEST(an_unfinished_run_stays_running),
      SCRATCH_TEST(an_end_that_cannot_be_written_is_reported),
      SCRATCH_TEST(components_have_a_folder),
      SCRATCH_TEST(a_parent_that_cannot_be_is_named),
      SCRATCH_TEST(a_name_that_cannot_be_is_told),
      SCRATCH_TEST(a_full_disk_is_told_at_the_start),
      SCRATCH_TEST(checksums_are_sha256),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
