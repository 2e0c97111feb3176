/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "report/summary.h"
#include "scratch.h"

static const char axes[] = "{\"name\": \"both\", \"axes\": ["
                           "{\"key\": \"aligners\", \"labels\": [\"none\", \"rotation, \\\"all\\\"\"]},"
                           "{\"key\": \"seed\", \"labels\": [\"1\", \"2\", \"3\"]},"
                           "{\"key\": \"networks.*.split\", \"labels\": [\"layer1\", \"layer2\"]}],"
                           "\"runs\": [%s]}";

static void write_file(void **state, const char *name, const char *text) {
  g_free(scratch_file(state, name, text, strlen(text)));
}

static void write_sweep(void **state, const char *runs) {
  g_autofree char *text = g_strdup_printf(axes, runs);
  write_file(state, "sweep.json", text);
}

static void write_results(void **state, const char *directory, const char *text) {
  g_autofree char *path = scratch_path(state, directory), *name = g_build_filename(directory, "results.json", NULL);
  assert_int_equal(g_mkdir(path, 0777), 0);
  write_file(state, name, text);
}

#define DONE(aligner, seed, split, directory)                                                                          \
  "{\"labels\": [\"" aligner "\", \"" seed "\", \"" split "\"], \"state\": \"done\", \"directory\": \"" directory "\"" \
  "}"
#define NOT(state, aligner, seed, split)                                                                               \
  "{\"labels\": [\"" aligner "\", \"" seed "\", \"" split "\"], \"state\": \"" state "\"}"
#define ROTATION "rotation, \\\"all\\\""

/* Three seeds with similarity, one of them without; one older run; failed and pending ones. */
static struct summary *example(void **state) {
  write_sweep(state,
              DONE("none", "1", "layer1", "a") "," DONE("none", "2", "layer1", "b") "," DONE(
                  "none", "3", "layer1",
                  "c") "," DONE(ROTATION, "1", "layer2",
                                "d") "," NOT("failed", ROTATION, "2",
                                             "layer2") "," NOT("pending", ROTATION, "1",
                                                               "layer1") "," NOT("pending", ROTATION, "2", "layer1"));
  write_results(state, "a",
                "{\"chance\": 0.125, \"own_accuracy\": 0.5, \"swap_accuracy\": 0.25, \"correlation\": 0.5,"
                "\"matched_correlation\": 0.75, \"cka\": null}");
  write_results(state, "b",
                "{\"chance\": 0.125, \"own_accuracy\": 0.75, \"swap_accuracy\": 0.25, \"correlation\": -0.5,"
                "\"matched_correlation\": 0.25, \"cka\": null}");
  write_results(state, "c",
                "{\"chance\": 0.125, \"own_accuracy\": 1, \"swap_accuracy\": 0.25, \"correlation\": null,"
                "\"matched_correlation\": null, \"cka\": null}");
  write_results(state, "d", "{\"chance\": 0.25, \"own_accuracy\": 0.5, \"swap_accuracy\": null}");
  GError *error = NULL;
  struct summary *summary = summary_read(*state, &error);
  if (!summary) fail_msg("%s", error->message);
  return summary;
}

static void mean_and_deviation(void **state) {
  (void)state;
  const double four[] = {2, 4, 4, 6}, holes[] = {(double)NAN, 3, (double)NAN}, none[] = {(double)NAN};
  struct summary_value value = summary_value_of(four, 4);
  assert_true(value.mean == 4 && fabs(value.deviation - sqrt(8.0 / 3)) < 1e-15);
  value = summary_value_of(holes, 3);
  assert_true(value.mean == 3 && isnan(value.deviation));
  value = summary_value_of(none, 1);
  assert_true(isnan(value.mean) && isnan(value.deviation));
}

static void seeds_make_a_group(void **state) {
  AUTO(summary) summary = example(state);
  assert_true(summary->sweep);
  assert_int_equal(summary->axis_count, 2);
  assert_string_equal(summary->axes[1].key, "networks.*.split");
  assert_int_equal(summary->group_count, 3);
  const struct summary_group *first = &summary->groups[0];
  assert_int_equal(first->runs, 3);
  assert_string_equal(summary_label(summary, first, 0), "none");
  assert_string_equal(summary_label(summary, first, 1), "layer1");
  assert_true(first->values[SUMMARY_OWN].mean == 0.75 && first->values[SUMMARY_OWN].deviation == 0.25);
  assert_true(first->values[SUMMARY_SWAP].mean == 0.25 && first->values[SUMMARY_SWAP].deviation == 0);
  assert_true(first->values[SUMMARY_CORRELATION].mean == 0);
  assert_true(fabs(first->values[SUMMARY_CORRELATION].deviation - sqrt(0.5)) < 1e-15);
  assert_true(isnan(first->values[SUMMARY_CKA].mean) && !summary_has(summary, SUMMARY_CKA));
  assert_int_equal(summary->groups[2].runs, 0);
  assert_true(isnan(summary->groups[2].chance));
}

static void states_are_counted(void **state) {
  AUTO(summary) summary = example(state);
  const guint expected[SUMMARY_STATES] = {[SUMMARY_DONE] = 4, [SUMMARY_FAILED] = 1, [SUMMARY_PENDING] = 2};
  assert_memory_equal(summary->states, expected, sizeof expected);
}

static void csv_has_a_line_for_each_group(void **state) {
  AUTO(summary) summary = example(state);
  g_autoptr(GString) out = g_string_new(NULL);
  summary_csv(out, summary, SUMMARY_OWN, SUMMARY_CORRELATION);
  assert_string_equal(out->str, "aligners,networks.*.split,runs,chance,own_accuracy_mean,own_accuracy_sd,"
                                "swap_accuracy_mean,swap_accuracy_sd,correlation_mean,correlation_sd\n"
                                "none,layer1,3,0.125,0.75,0.25,0.25,0,0,0.707106781186548\n"
                                "\"rotation, \"\"all\"\"\",layer2,1,0.25,0.5,,,,,\n"
                                "\"rotation, \"\"all\"\"\",layer1,0,,,,,,,\n");
}

static void table_lines_up(void **state) {
  AUTO(summary) summary = example(state);
  g_autoptr(GString) out = g_string_new(NULL);
  summary_table(out, summary);
  assert_string_equal(out->str, "both: 4 of 7 runs (1 failed, 2 pending)\n"
                                "aligners         networks.*.split  runs   own accuracy  swap accuracy  correlation  "
                                "matched correlation  chance\n"
                                "none             layer1               3  75.0 ± 25.0 %   25.0 ± 0.0 %  0.00 ± 0.71    "
                                "      0.50 ± 0.35  12.5 %\n"
                                "rotation, \"all\"  layer2               1         50.0 %              -            -  "
                                "                  -  25.0 %\n"
                                "rotation, \"all\"  layer1               0              -              -            -  "
                                "                  -       -\n");
}

static void files_say_the_same(void **state) {
  AUTO(summary) summary = example(state);
  GError *error = NULL;
  assert_true(summary_write(summary, *state, &error));
  g_autofree char *csv_path = scratch_path(state, "summary.csv"), *json_path = scratch_path(state, "summary.json");
  g_autofree char *csv = NULL, *json = NULL, *expected = summary_json(summary);
  assert_true(g_file_get_contents(csv_path, &csv, NULL, NULL) && g_file_get_contents(json_path, &json, NULL, NULL));
  assert_string_equal(json, expected);
  g_autoptr(GString) all = g_string_new(NULL);
  summary_csv(all, summary, SUMMARY_OWN, SUMMARY_CKA);
  assert_string_equal(csv, all->str);
}

static void json_has_null_for_what_is_absent(void **state) {
  write_file(state, "results.json",
             "{\"name\": \"one\", \"chance\": 0.1, \"own_accuracy\": 0.8, \"swap_accuracy\": null}");
  AUTO(summary) summary = summary_read(*state, NULL);
  assert_non_null(summary);
  assert_false(summary->sweep);
  g_autofree char *json = summary_json(summary);
  g_auto(GStrv) words = g_regex_split_simple("\\s+", json, 0, 0);
  g_autofree char *compact = g_strjoinv("", words);
  assert_string_equal(compact,
                      "{\"name\":\"one\",\"axes\":[],"
                      "\"runs\":{\"done\":1,\"failed\":0,\"interrupted\":0,\"running\":0,\"pending\":0},"
                      "\"groups\":[{\"labels\":[],\"runs\":1,\"chance\":0.1,"
                      "\"own_accuracy\":{\"mean\":0.8,\"sd\":null},\"swap_accuracy\":{\"mean\":null,\"sd\":null},"
                      "\"correlation\":{\"mean\":null,\"sd\":null},\"matched_correlation\":{\"mean\":null,\"sd\":null},"
                      "\"cka\":{\"mean\":null,\"sd\":null}}]}");
  g_autoptr(GString) table = g_string_new(NULL);
  summary_table(table, summary);
  assert_string_equal(table->str, "one: 1 run\nruns  own accuracy  chance\n   1        80.0 %  10.0 %\n");
}

static void table_rounds_like_printf_and_has_no_negative_zero(void **state) {
  write_file(state, "results.json",
             "{\"name\": \"one\", \"chance\": 0.1, \"own_accuracy\": 0.1025, \"correlation\": -0.004, \"cka\": 0.006}");
  AUTO(summary) summary = summary_read(*state, NULL);
  g_autoptr(GString) table = g_string_new(NULL);
  assert_non_null(summary);
  summary_table(table, summary);
  assert_string_equal(table->str, "one: 1 run\nruns  own accuracy  correlation   CKA  chance\n"
                                  "   1        10.2 %         0.00  0.01  10.0 %\n");
}

/* That reading fails with this code, and a message that begins with the folder and holds `word`. */
static void assert_refused(void **state, int code, const char *word) {
  GError *error = NULL;
  assert_null(summary_read(*state, &error));
  assert_true(error->domain == DOVETAIL_ERROR);
  assert_int_equal(error->code, code);
  if (!g_str_has_prefix(error->message, *state) || !strstr(error->message, word))
    fail_msg("'%s' is not in: %s", word, error->message);
  g_error_free(error);
}

static void a_folder_of_neither_kind_is_wrong_usage(void **state) {
  assert_refused(state, DOVETAIL_WRONG, "it has no sweep.json) nor that of a finished run (no results.json)");
}

struct damage {
  const char *text, *told;
};

/* That a file with each of these texts is refused. */
static void assert_damages(void **state, const char *name, const struct damage *cases, guint count) {
  for (guint k = 0; k < count; k++) {
    write_file(state, name, cases[k].text);
    assert_refused(state, DOVETAIL_FAILED, cases[k].told);
  }
}

static void damaged_sweeps_are_told_with_their_place(void **state) {
  static const struct damage cases[] = {
      {"{\"name\": \"x\",\n \"axes\": [}", "sweep.json:2:11: damaged: "},
      {"", "sweep.json:1:0: damaged: "},
      {"[]", "sweep.json: damaged: a JSON object is wanted"},
      {"{}", "a 'name' and a list of 'runs'"},
      {"{\"name\": 1, \"axes\": [], \"runs\": []}", "a 'name' and a list of 'runs'"},
      {"{\"name\": \"x\", \"axes\": {}, \"runs\": []}", "'axes' should be a list"},
      {"{\"name\": \"x\", \"axes\": [1], \"runs\": []}", "axes[0] should have a 'key'"},
      {"{\"name\": \"x\", \"axes\": [{\"key\": \"a\", \"labels\": [1]}], \"runs\": []}",
       "labels of 'a' should be strings"},
  };
  assert_damages(state, "sweep.json", cases, G_N_ELEMENTS(cases));
}

static void damaged_runs_are_told_by_number(void **state) {
  static const struct damage cases[] = {
      {"1", "runs[0] should have a label for each axis"},
      {"{\"labels\": [\"none\", \"1\"], \"state\": \"pending\"}", "runs[0] should have a label for each axis"},
      {NOT("pending", "nine", "1", "layer1"), "runs[0] should have one of the labels of 'aligners'"},
      {"{\"labels\": [null, \"1\", \"layer1\"]}", "runs[0] should have one of the labels of 'aligners'"},
      {NOT("asleep", "none", "1", "layer1"), "state of runs[0] should be one of done, failed"},
      {NOT("done", "none", "1", "layer1"), "runs[0] is done and should have a 'directory'"},
  };
  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    write_sweep(state, cases[k].text);
    assert_refused(state, DOVETAIL_FAILED, cases[k].told);
  }
}

static void a_run_whose_directory_is_deleted_is_pending(void **state) {
  write_sweep(state, DONE("none", "1", "layer1", "gone") "," DONE("none", "2", "layer1", "a"));
  write_results(state, "a", "{\"chance\": 0.125, \"own_accuracy\": 0.5}");
  AUTO(summary) summary = summary_read(*state, NULL);
  assert_non_null(summary);
  assert_int_equal(summary->states[SUMMARY_DONE], 1);
  assert_int_equal(summary->states[SUMMARY_PENDING], 1);
  assert_int_equal(summary->groups[0].runs, 1);
}

static void damaged_results_are_told_with_their_place(void **state) {
  static const struct damage cases[] = {
      {"{\"chance\": 0.1,\n}", "results.json:2:1: damaged: "},
      {"{\"chance\": 0.1, \"chance\": 0.1}", "duplicate object key"},
      {"{\"name\": \"x\", \"own_accuracy\": 0.5}", "'chance' should be a number from -1 to 1"},
      {"{\"chance\": 0.1}", "'own_accuracy' should be a number from -1 to 1"},
      {"{\"chance\": 0.1, \"own_accuracy\": 0.5, \"cka\": \"high\"}", "'cka' should be a number from -1 to 1, or null"},
      {"{\"chance\": 0.1, \"own_accuracy\": 80}", "'own_accuracy' should be a number"},
      {"{\"chance\": 0.1, \"own_accuracy\": 0.5}", "'name' should be a string"},
  };
  assert_damages(state, "results.json", cases, G_N_ELEMENTS(cases));
}

static void no_truncated_sweep_reads(void **state) {
  g_autofree char *text = g_strdup_printf(axes, NOT("failed", ROTATION, "2", "layer2"));
  write_file(state, "sweep.json", text);
  AUTO(summary) whole = summary_read(*state, NULL);
  assert_non_null(whole);
  while (*text) {
    text[strlen(text) - 1] = '\0';
    write_file(state, "sweep.json", text);
    assert_refused(state, DOVETAIL_FAILED, "sweep.json");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mean_and_deviation),
      SCRATCH_TEST(seeds_make_a_group),
      SCRATCH_TEST(states_are_counted),
      SCRATCH_TEST(csv_has_a_line_for_each_group),
      SCRATCH_TEST(table_lines_up),
      SCRATCH_TEST(table_rounds_like_printf_and_has_no_negative_zero),
      SCRATCH_TEST(files_say_the_same),
      SCRATCH_TEST(json_has_null_for_what_is_absent),
      SCRATCH_TEST(a_folder_of_neither_kind_is_wrong_usage),
      SCRATCH_TEST(damaged_sweeps_are_told_with_their_place),
      SCRATCH_TEST(damaged_runs_are_told_by_number),
      SCRATCH_TEST(a_run_whose_directory_is_deleted_is_pending),
      SCRATCH_TEST(damaged_results_are_told_with_their_place),
      SCRATCH_TEST(no_truncated_sweep_reads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
