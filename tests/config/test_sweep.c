/* SPDX-License-Identifier: MIT */
#include "experiment_test.h"

#include "config/sweep.h"

/* Nine lines, so that what is appended begins in the tenth. */
static const char base[] = "name: base\n"
                           "data: {plugin: shapes}\n"
                           "networks:\n"
                           "  a: &net\n"
                           "    backbone: {plugin: resnet}\n"
                           "    split: layer2\n"
                           "    head: {plugin: linear}\n"
                           "  b: *net\n"
                           "train: {epochs: 3}\n";

static struct sweep *read_text(void **state, const char *sweep, const char *const *sets, GError **error) {
  g_autofree char *text = g_strconcat(base, sweep, NULL);
  g_autofree char *path = scratch_file(state, "e.yaml", text, strlen(text));
  return sweep_read(path, sets, error);
}

static struct sweep *read_sweep(void **state, const char *text, const char *const *sets) {
  GError *error = NULL;
  struct sweep *sweep = read_text(state, text, sets, &error);
  if (error) fail_msg("%s", error->message);
  return sweep;
}

static struct experiment *experiment_at(const struct sweep *sweep, guint run) {
  GError *error = NULL;
  struct experiment *experiment = sweep_experiment(sweep, run, &error);
  if (error) fail_msg("%s", error->message);
  return experiment;
}

/* `message`: without the file's name. */
static void expect_place(void **state, GError **error, const char *message) {
  g_autofree char *path = experiment_path(state), *whole = g_strconcat(path, ":", message, NULL);
  expect_error(error, whole);
}

/* The sweep itself is refused. */
static void expect_wrong_sweep(void **state, const char *text, const char *message) {
  GError *error = NULL;
  assert_null(read_text(state, text, NULL, &error));
  expect_place(state, &error, message);
}

/* One of its runs is refused, all before it are good. */
static void expect_wrong_run(void **state, const char *text, guint run, const char *message) {
  AUTO(sweep) sweep = read_sweep(state, text, NULL);
  GError *error = NULL;
  for (guint k = 0; k < run; k++) experiment_free(experiment_at(sweep, k));
  assert_null(sweep_experiment(sweep, run, &error));
  expect_place(state, &error, message);
}

static void expect_titles(const struct sweep *sweep, const char *const *titles) {
  assert_int_equal(sweep->count, g_strv_length((char **)titles));
  for (guint k = 0; k < sweep->count; k++) {
    g_autofree char *title = sweep_run_title(sweep, k);
    assert_string_equal(title, titles[k]);
  }
}

static void without_a_sweep_there_is_one_experiment(void **state) {
  const char *const texts[] = {"", "sweep: {}\n"};
  for (guint k = 0; k < G_N_ELEMENTS(texts); k++) {
    AUTO(sweep) sweep = read_sweep(state, texts[k], NULL);
    AUTO(experiment) experiment = experiment_at(sweep, 0);
    assert_int_equal(sweep->axis_count, 0);
    assert_int_equal(sweep->count, 1);
    assert_int_equal(experiment->train.epochs, 3);
  }
}

static void the_last_key_varies_fastest(void **state) {
  const char *text = "sweep: {seed: [4, 5], train.batch: [8, 16, 32], train.nesterov: [on]}\n";
  AUTO(sweep) sweep = read_sweep(state, text, NULL);
  const char *const titles[] = {"seed=4, train.batch=8, train.nesterov=on",
                                "seed=4, train.batch=16, train.nesterov=on",
                                "seed=4, train.batch=32, train.nesterov=on",
                                "seed=5, train.batch=8, train.nesterov=on",
                                "seed=5, train.batch=16, train.nesterov=on",
                                "seed=5, train.batch=32, train.nesterov=on",
                                NULL};
  expect_titles(sweep, titles);
  AUTO(experiment) experiment = experiment_at(sweep, 4);
  g_autofree char *name = sweep_run_name(sweep, 4);
  assert_string_equal(name, "5,16,on");
  assert_int_equal(experiment->seed, 5);
  assert_int_equal(experiment->train.batch, 16);
  assert_true(experiment->train.nesterov);
  assert_int_equal(experiment->train.epochs, 3);
}

static void labels_stand_for_values_of_any_kind(void **state) {
  const char *text = "sweep:\n"
                     "  aligners:\n"
                     "    none: []\n"
                     "    rotation+shared-init: [{plugin: rotation}, {plugin: shared-init}]\n"
                     "  train: {short: {epochs: 1}, long: {epochs: 9, batch: 64}}\n";
  AUTO(sweep) sweep = read_sweep(state, text, NULL);
  const char *const titles[] = {"aligners=none, train=short", "aligners=none, train=long",
                                "aligners=rotation+shared-init, train=short",
                                "aligners=rotation+shared-init, train=long", NULL};
  expect_titles(sweep, titles);
  AUTO(experiment) first = experiment_at(sweep, 0);
  AUTO(experiment) last = experiment_at(sweep, 3);
  assert_int_equal(first->aligner_count, 0);
  assert_int_equal(first->train.epochs, 1);
  assert_int_equal(last->aligner_count, 2);
  assert_string_equal(last->aligners[1].use.plugin, "shared-init");
  assert_int_equal(last->train.batch, 64);
}

static void a_star_is_every_network(void **state) {
  const char *text = "sweep: {networks.*.split: [layer1, layer3], networks.b.head.plugin: [x]}\n";
  AUTO(sweep) sweep = read_sweep(state, text, NULL);
  AUTO(experiment) experiment = experiment_at(sweep, 1);
  assert_string_equal(experiment->networks[0].split, "layer3");
  assert_string_equal(experiment->networks[1].split, "layer3");
  assert_string_equal(experiment->networks[0].head.plugin, "linear");
  assert_string_equal(experiment->networks[1].head.plugin, "x");
}

static void sets_come_before_the_sweep(void **state) {
  const char *const sets[] = {"sweep.seed=[3]", "train.epochs=8", "train.batch=5", NULL};
  AUTO(sweep) sweep = read_sweep(state, "sweep: {seed: [1, 2], train.batch: [16, 32]}\n", sets);
  const char *const titles[] = {"seed=3, train.batch=16", "seed=3, train.batch=32", NULL};
  expect_titles(sweep, titles);
  AUTO(experiment) experiment = experiment_at(sweep, 1);
  assert_int_equal(experiment->train.epochs, 8);
  assert_int_equal(experiment->train.batch, 32);
}

static void a_file_that_changes_later_changes_nothing(void **state) {
  AUTO(sweep) sweep = read_sweep(state, "sweep: {seed: [1, 2]}\n", NULL);
  g_free(scratch_file(state, "e.yaml", "broken: [", 9));
  AUTO(experiment) experiment = experiment_at(sweep, 1);
  assert_int_equal(experiment->seed, 2);
  assert_string_equal(experiment->text, yaml_text(sweep->tree));
}

static void refuses_a_wrong_sweep_at_its_place(void **state) {
  expect_wrong_sweep(state, "sweep: [1]\n",
                     "10:8: 'sweep' is not a map; write {KEY: [value, …]}, as in {seed: [1, 2]}");
  expect_wrong_sweep(state, "sweep: {seed: 1}\n",
                     "10:15: the values of a sweep are no scalar and not empty; write [1, 2], or a map {LABEL: value}");
  expect_wrong_sweep(state, "sweep:\n  seed: []\n",
                     "11:9: the values of a sweep are no scalar and not empty; write [1, 2], or a map {LABEL: value}");
  expect_wrong_sweep(state, "sweep: {name: [a, b]}\n",
                     "10:9: the name is the whole sweep's, its runs have labels; sweep another key");
  expect_wrong_sweep(state, "sweep: {seed: [1, 2, '1']}\n",
                     "10:22: the label '1' is given twice; keep one, or write a map {LABEL: value}");
  expect_wrong_sweep(state, "sweep: {seed: {figures: 1}}\n",
                     "10:16: the label 'figures' is the name of a file of the sweep itself; write another");
}

static void refuses_what_is_no_label(void **state) {
  const char *advice =
      "is no label; write a map {LABEL: value}, labels of at most 64 letters, digits, '-', '_', '.' and "
      "'+', the first no '.'";
  static const struct {
    const char *text, *what;
  } wrong[] = {{"sweep: {aligners: [[]]}\n", "10:20: a list or map"},
               {"sweep: {train: [{epochs: 1}]}\n", "10:17: a list or map"},
               {"sweep: {seed: [1, a/b]}\n", "10:19: 'a/b'"},
               {"sweep: {seed: {..: 1}}\n", "10:16: '..'"},
               {"sweep: {seed: {'a,b': 1}}\n", "10:16: 'a,b'"},
               {"sweep: {data.params.path: [../x]}\n", "10:28: '../x'"}};
  for (guint k = 0; k < G_N_ELEMENTS(wrong); k++) {
    g_autofree char *message = g_strconcat(wrong[k].what, " ", advice, NULL);
    expect_wrong_sweep(state, wrong[k].text, message);
  }
}

static void refuses_wrong_values_and_keys_at_their_places(void **state) {
  expect_wrong_run(state, "sweep: {seed: [1, x]}\n", 1, "10:19: 'x' is not an integer; write an integer of at least 0");
  expect_wrong_run(state, "sweep: {train: {a: {epochs: 1}, b: {epoch: 1}}}\n", 1,
                   "10:37: train has no key 'epoch'; did you mean 'epochs'?");
  expect_wrong_run(state, "sweep: {train.epoch: [1]}\n", 0, "10:15: train has no key 'epoch'; did you mean 'epochs'?");
  expect_wrong_run(state, "sweep: {'train.epoch': [1]}\n", 0,
                   "10:16: train has no key 'epoch'; did you mean 'epochs'?");
  expect_wrong_run(state, "sweep: {sead: [1]}\n", 0, "10:9: the experiment has no key 'sead'; did you mean 'seed'?");
  expect_wrong_run(state, "sweep: {networks.*.splitt: [layer1]}\n", 0,
                   "10:20: network 'a' has no key 'splitt'; did you mean 'split'?");
  expect_wrong_run(state, "sweep: {seed.*: [1]}\n", 0,
                   "10:14: '*' stands for all keys of a map or all items of a list, and here are none; name what is "
                   "meant");
  expect_wrong_run(state, "sweep: {sweep.seed: [1]}\n", 0,
                   "10:9: a single experiment has no sweep; give its values one by one");
  expect_wrong_run(state, "sweep: {train..batch: [1]}\n", 0,
                   "10:15: a name is missing in the path; write names with dots between, as in train.epochs");
}

/* A sweep of `axes` keys with `count` values each. The caller frees it. */
static char *large_sweep(guint axes, guint count) {
  GString *text = g_string_new("sweep:\n");
  for (guint a = 0; a < axes; a++) {
    g_string_append_printf(text, "  k%u: [0", a);
    for (guint k = 1; k < count; k++) g_string_append_printf(text, ",%u", k);
    g_string_append(text, "]\n");
  }
  return g_string_free(text, FALSE);
}

static void limits_the_number_of_runs(void **state) {
  g_autofree char *most = large_sweep(4, 10), *more = large_sweep(5, 10), *far_more = large_sweep(64, 1000);
  AUTO(sweep) sweep = read_sweep(state, most, NULL);
  assert_int_equal(sweep->count, SWEEP_MAX_RUNS);
  expect_wrong_sweep(state, more, "15:3: with this key there are more than 10000 runs; sweep fewer values");
  expect_wrong_sweep(state, far_more, "12:3: with this key there are more than 10000 runs; sweep fewer values");
}

static void limits_what_makes_a_directory_name(void **state) {
  g_autoptr(GString) text = g_string_new("sweep:\n");
  for (guint k = 0; k < 4; k++) {
    g_autofree char *label = g_strnfill(60, 'x');
    g_string_append_printf(text, "  k%u: [%s]\n", k, label);
  }
  expect_wrong_sweep(state, text->str, "14:3: with this key a run's labels are longer than 199 together; shorten them");
}

/* Neither may use up the stack or the memory. */
static void limits_what_paths_may_do(void **state) {
  g_autoptr(GString) deep = g_string_new("sweep:\n  ? a"), wide = g_string_new("sweep:\n");
  for (guint k = 0; k < 100000; k++) g_string_append(deep, ".a");
  g_string_append(deep, "\n  : [1]\n");
  expect_wrong_run(state, deep->str, 0, "11:5: nested deeper than 64 levels; write fewer levels");
  for (guint level = 0; level < 5; level++) {
    g_string_append(wide, "  x");
    for (guint k = 0; k < level; k++) g_string_append(wide, ".*");
    g_string_append(wide, ": {all: [1");
    for (guint k = 0; k < 99; k++) g_string_append(wide, ", 1");
    g_string_append(wide, "]}\n");
  }
  expect_wrong_run(state, wide->str, 0, "15:11: more than 100000 nodes, with those that '*' stands for; write fewer");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(without_a_sweep_there_is_one_experiment),
      SCRATCH_TEST(the_last_key_varies_fastest),
      SCRATCH_TEST(labels_stand_for_values_of_any_kind),
      SCRATCH_TEST(a_star_is_every_network),
      SCRATCH_TEST(sets_come_before_the_sweep),
      SCRATCH_TEST(a_file_that_changes_later_changes_nothing),
      SCRATCH_TEST(refuses_a_wrong_sweep_at_its_place),
      SCRATCH_TEST(refuses_what_is_no_label),
      SCRATCH_TEST(refuses_wrong_values_and_keys_at_their_places),
      SCRATCH_TEST(limits_the_number_of_runs),
      SCRATCH_TEST(limits_what_makes_a_directory_name),
      SCRATCH_TEST(limits_what_paths_may_do),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
