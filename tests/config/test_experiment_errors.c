/* SPDX-License-Identifier: MIT */
#include "experiment_test.h"

/* Each case damages this in one place. */
static const char base[] = "name: small\n"                /* 1 */
                           "seed: 3\n"                    /* 2 */
                           "data: {plugin: shapes}\n"     /* 3 */
                           "networks:\n"                  /* 4 */
                           "  a: &net\n"                  /* 5 */
                           "    backbone: {plugin: r}\n"  /* 6 */
                           "    split: layer2\n"          /* 7 */
                           "    head: {plugin: linear}\n" /* 8 */
                           "  b: *net\n"                  /* 9 */
                           "aligners: [{plugin: q}]\n"    /* 10 */
                           "train: {epochs: 3}\n";        /* 11 */

struct damage {
  const char *old, *new;
  const char *message; /* after "FILE:" */
};

/* The error is in the first assignment where there are some. */
static void expect_refused_experiment(void **state, const char *text, const char *const *sets, const char *message) {
  GError *error = NULL;
  g_autofree char *place =
      sets ? g_strdup_printf("--set %.*s", (int)strcspn(*sets, "="), *sets) : experiment_path(state);
  g_autofree char *whole = g_strdup_printf("%s:%s", place, message);
  assert_null(read_experiment(state, text, strlen(text), sets, &error));
  expect_error(&error, whole);
}

static void expect_all_refused(void **state, const struct damage *damages, gsize count) {
  for (gsize k = 0; k < count; k++) {
    const char *place = strstr(base, damages[k].old);
    assert_non_null(place);
    g_autofree char *before = g_strndup(base, (gsize)(place - base));
    g_autofree char *text = g_strconcat(before, damages[k].new, place + strlen(damages[k].old), NULL);
    expect_refused_experiment(state, text, NULL, damages[k].message);
  }
}

#define EXPECT_ALL_REFUSED(state, damages) expect_all_refused(state, damages, G_N_ELEMENTS(damages))

static void the_undamaged_one_is_right(void **state) {
  AUTO(experiment) experiment = read_good(state, base, NULL);
  assert_int_equal(experiment->network_count, 2);
}

static void unknown_keys_get_the_nearest_known_one(void **state) {
  static const struct damage damages[] = {
      {"seed", "sed", "2:1: the experiment has no key 'sed'; did you mean 'seed'?"},
      {"seed: 3", "optimiser: {rate: 1}",
       "2:1: the experiment has no key 'optimiser'; known: name, seed, scheme, data, networks, aligners, train, sweep"},
      {"seed: 3", "sweep: {seed: [1, 2]}", "2:1: a single experiment has no sweep; give its values one by one"},
      {"shapes}", "shapes, parms: {}}", "3:24: data has no key 'parms'; did you mean 'params'?"},
      {"shapes}", "shapes, limit: {tests: 5}}", "3:32: limit has no key 'tests'; did you mean 'test'?"},
      {"split", "splitt", "7:5: network 'a' has no key 'splitt'; did you mean 'split'?"},
      {"{plugin: r", "{plugins: r", "6:16: backbone has no key 'plugins'; did you mean 'plugin'?"},
      {"linear}", "linear, weight: 1}", "8:28: head has no key 'weight'; known: plugin, params"},
      {"q}", "q, wieght: 1}", "10:24: an aligner has no key 'wieght'; did you mean 'weight'?"},
      {"epochs", "epoch", "11:9: train has no key 'epoch'; did you mean 'epochs'?"},
      {"3}\n", "3, augment: {padd: 1}}\n", "11:30: augment has no key 'padd'; did you mean 'pad'?"},
      {"3}\n", "3, schedule: {warm_up: 1}}\n", "11:31: the schedule has no key 'warm_up'; did you mean 'warmup'?"},
  };
  EXPECT_ALL_REFUSED(state, damages);
}

static void wrong_types_are_refused(void **state) {
  static const struct damage damages[] = {
      {"{plugin: shapes}", "shapes", "3:7: data is not a map; write {key: value} or indented lines of key: value"},
      {"{plugin: r}", "r", "6:15: backbone is not a map; write {key: value} or indented lines of key: value"},
      {"*net", "", "9:5: network 'b' is not a map; write {key: value} or indented lines of key: value"},
      {"{plugin: q}", "q", "10:12: an aligner is not a map; write {key: value} or indented lines of key: value"},
      {"[{plugin: q}]", "{plugin: q}", "10:11: 'aligners' is not a list; write [{plugin: NAME}, …], or [] for none"},
      {"shapes}", "[]}", "3:16: a list is not a string; write one"},
      {"linear}", "linear, params: 5}", "8:36: 'params' is not a map; write {name: value}, or leave params out"},
      {"layer2", "", "7:11: an empty value is not a string; write one"},
      {"seed: 3", "seed: x", "2:7: 'x' is not an integer; write an integer of at least 0"},
      {"epochs: 3", "epochs: '3'", "11:17: '3' in quotes is not an integer; write an integer from 1 to 1000000"},
      {"epochs: 3", "batch: 2.5", "11:16: '2.5' is not an integer; write an integer from 1 to 65536"},
      {"epochs: 3", "nesterov: 1", "11:19: '1' is not true or false; write one of them"},
      {"epochs: 3", "momentum: high", "11:19: 'high' is not a number; write a number from 0 to 0.9999"},
      {"split", "classes: cat\n    split",
       "7:14: 'classes' is not a list of at least one; write names or indices, as in [cat, dog], or leave it out"},
      {"split", "classes: []\n    split",
       "7:14: 'classes' is not a list of at least one; write names or indices, as in [cat, dog], or leave it out"},
      {"split", "from: [runs/old]\n    split", "7:11: a list is not a string; write one"},
      {"q}", "q, from: ~}", "10:30: an empty value is not a string; write one"},
      {"split", "classes: [1, [2]]\n    split", "7:18: a list is not a string; write one"},
  };
  EXPECT_ALL_REFUSED(state, damages);
}

static void values_out_of_range_are_refused(void **state) {
  static const struct damage damages[] = {
      {"seed: 3", "seed: -1", "2:7: '-1' is out of range; write an integer of at least 0"},
      {"seed: 3", "seed: 9223372036854775808",
       "2:7: '9223372036854775808' is out of range; write an integer of at most 9223372036854775807"},
      {"shapes}", "shapes, limit: {train: 0}}", "3:39: '0' is out of range; write an integer of at least 1"},
      {"q}", "q, weight: -0.5}", "10:32: '-0.5' is out of range; write a number from 0 to 1e+06"},
      {"epochs: 3", "epochs: 0", "11:17: '0' is out of range; write an integer from 1 to 1000000"},
      {"epochs: 3", "steps: 0", "11:16: '0' is out of range; write an integer from 1 to 1000000000"},
      {"epochs: 3", "batch: 0", "11:16: '0' is out of range; write an integer from 1 to 65536"},
      {"epochs: 3", "threads: -1", "11:18: '-1' is out of range; write an integer from 0 to 1024"},
      {"epochs: 3", "momentum: 1", "11:19: '1' is out of range; write a number from 0 to 0.9999"},
      {"epochs: 3", "weight_decay: 2", "11:23: '2' is out of range; write a number from 0 to 1"},
      {"epochs: 3", "augment: {pad: 65}", "11:24: '65' is out of range; write an integer from 0 to 64"},
      {"seed: 3", "scheme: incrementl",
       "2:9: 'incrementl' is not one of joint, incremental; did you mean 'incremental'?"},
      {"epochs: 3", "precision: double", "11:20: 'double' is not one of auto, float32, bfloat16; write one of them"},
      {"epochs: 3", "precision: flaot32",
       "11:20: 'flaot32' is not one of auto, float32, bfloat16; did you mean 'float32'?"},
      {"epochs: 3", "schedule: {rate: 0}", "11:26: '0' is out of range; write a number from 1e-09 to 1000"},
      {"epochs: 3", "schedule: {warmup: 1}", "11:28: '1' is out of range; write a number from 0 to 0.99"},
      {"epochs: 3", "schedule: {factor: 2}", "11:28: '2' is out of range; write a number from 1e-06 to 1"},
      {"epochs: 3", "schedule: {drops: [0.5, 1.5]}", "11:33: '1.5' is out of range; write a number from 0 to 1"},
  };
  EXPECT_ALL_REFUSED(state, damages);
}

static void what_does_not_go_together_is_refused(void **state) {
  static const struct damage damages[] = {
      {"epochs: 3", "epochs: 3, steps: 5", "11:20: both epochs and steps are given; keep one of them"},
      {"epochs: 3", "momentum: 0, nesterov: yes",
       "11:22: nesterov has no effect without momentum; write a momentum above 0"},
      {"split", "from: runs/old\n    split",
       "7:11: every network has 'from', so there is nothing to train; leave it out of one"},
      {"epochs: 3", "schedule: {peak: 0.2}",
       "11:20: a schedule of kind step has no 'peak'; kind one-cycle has it, step and cosine have 'rate'"},
      {"epochs: 3", "schedule: {kind: one-cycle, rate: 0.2}",
       "11:37: a schedule of kind one-cycle has no 'rate'; kinds step and cosine have it, one-cycle has 'peak'"},
      {"epochs: 3", "schedule: {kind: cosine, drops: []}",
       "11:34: a schedule of kind cosine has no 'drops'; only kind step has it"},
      {"epochs: 3", "schedule: {factor: 1, kind: one-cycle}",
       "11:20: a schedule of kind one-cycle has no 'factor'; only kind step has it"},
      {"epochs: 3", "schedule: {kind: cosin}",
       "11:26: 'cosin' is not one of step, cosine, one-cycle; did you mean 'cosine'?"},
      {"epochs: 3", "schedule: {drops: [0.5, 0.5]}",
       "11:33: '0.5' does not lie after the drop before it; write the drops in rising order"},
      {"epochs: 3", "schedule: {drops: 0.5}",
       "11:27: 'drops' is not a list of at most 8; write shares of the steps, as in [0.5, 0.75]"},
      {"epochs: 3", "schedule: {drops: [0, .1, .2, .3, .4, .5, .6, .7, .8]}",
       "11:27: 'drops' is not a list of at most 8; write shares of the steps, as in [0.5, 0.75]"},
  };
  EXPECT_ALL_REFUSED(state, damages);
}

static void missing_keys_are_named(void **state) {
  static const struct damage damages[] = {
      {"name: small\n", "", "1:1: the experiment lacks the key 'name'; add it"},
      {"plugin: shapes", "", "3:7: data lacks the key 'plugin'; add it"},
      {"data: {plugin: shapes}\n", "", "4:3: network 'a' has no data; add data to it or to the experiment"},
      {"    backbone: {plugin: r}\n", "", "5:6: network 'a' lacks the key 'backbone'; add it"},
      {"    split: layer2\n", "", "5:6: network 'a' lacks the key 'split'; add it"},
      {"    head: {plugin: linear}\n", "", "5:6: network 'a' lacks the key 'head'; add it"},
      {"plugin: linear", "", "8:11: head lacks the key 'plugin'; add it"},
      {"{plugin: q}", "{weight: 1}", "10:12: an aligner lacks the key 'plugin'; add it"},
  };
  EXPECT_ALL_REFUSED(state, damages);
  expect_refused_experiment(state, "name: x\n", NULL, "1:1: the experiment lacks the key 'networks'; add it");
}

static void names_are_safe_for_files(void **state) {
  static const struct damage damages[] = {
      {"small", "../x",
       "1:7: '../x' is no name for an experiment; write at most 64 letters, digits, '-', '_' and '.', the first no "
       "'.'"},
      {"small", ".x",
       "1:7: '.x' is no name for an experiment; write at most 64 letters, digits, '-', '_' and '.', the first no '.'"},
      {"small", "''",
       "1:7: '' is no name for an experiment; write at most 64 letters, digits, '-', '_' and '.', the first no '.'"},
      {"  b:", "  b c:",
       "9:3: 'b c' is no name for a network; write at most 64 letters, digits, '-', '_' and '.', the first no '.'"},
      {"  b:", "  é:",
       "9:3: 'é' is no name for a network; write at most 64 letters, digits, '-', '_' and '.', the first no '.'"},
      {"  b:", "  01234567890123456789012345678901234567890123456789012345678901234:",
       "9:3: '0123456789012345678901234567890123456789…' is no name for a network; write at most 64 letters, digits, "
       "'-', '_' and '.', the first no '.'"},
      {"  b:", "  a:", "9:3: duplicate key 'a'; it is already at 5:3"},
  };
  EXPECT_ALL_REFUSED(state, damages);
}

static void networks_number_1_to_64(void **state) {
  g_autoptr(GString) text = g_string_new(base);
  g_string_truncate(text, (gsize)(strstr(base, "aligners") - base));
  for (int k = 3; k <= 64; k++) g_string_append_printf(text, "  n%d: *net\n", k);
  AUTO(experiment) experiment = read_good(state, text->str, NULL);
  assert_int_equal(experiment->network_count, 64);
  g_string_append(text, "  n65: *net\n");
  expect_refused_experiment(state, text->str, NULL,
                            "5:3: 'networks' is not a map of 1 to 64; write NAME: {backbone: …, split: …, head: …}");
  expect_refused_experiment(state, "name: x\nnetworks: {}\n", NULL,
                            "2:11: 'networks' is not a map of 1 to 64; write NAME: {backbone: …, split: …, head: …}");
}

static void files_that_hold_no_experiment_are_refused(void **state) {
  expect_refused_experiment(state, "", NULL, "1:1: there is nothing here; write a YAML value");
  expect_refused_experiment(state, "[]\n", NULL,
                            "1:1: the experiment is not a map; write {key: value} or indented lines of key: value");
  expect_refused_experiment(state, "just text\n", NULL,
                            "1:1: the experiment is not a map; write {key: value} or indented lines of key: value");
  expect_refused_experiment(state, "name: \xff\n", NULL,
                            "1:7: the byte 0xff is not UTF-8 text here; save the file as UTF-8");
  GError *error = NULL;
  g_autofree char *message = g_strconcat(*state, ": Is a directory; name a YAML file that you may read", NULL);
  assert_null(experiment_read(*state, NULL, &error));
  expect_error(&error, message);
}

static void errors_in_assignments_are_marked_there(void **state) {
  const char *const sets[][2] = {{"train.epochs=x"}, {"train.epoch=3"}, {"networks.c={}"}, {"seed=1: 2"}};
  static const char *const messages[] = {
      "1:14: 'x' is not an integer; write an integer from 1 to 1000000",
      "1:7: train has no key 'epoch'; did you mean 'epochs'?",
      "1:12: network 'c' lacks the key 'backbone'; add it",
      "1:6: a map is not an integer; write an integer of at least 0",
  };
  for (guint k = 0; k < G_N_ELEMENTS(sets); k++) expect_refused_experiment(state, base, sets[k], messages[k]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(the_undamaged_one_is_right),
      SCRATCH_TEST(unknown_keys_get_the_nearest_known_one),
      SCRATCH_TEST(wrong_types_are_refused),
      SCRATCH_TEST(values_out_of_range_are_refused),
      SCRATCH_TEST(what_does_not_go_together_is_refused),
      SCRATCH_TEST(missing_keys_are_named),
      SCRATCH_TEST(names_are_safe_for_files),
      SCRATCH_TEST(networks_number_1_to_64),
      SCRATCH_TEST(files_that_hold_no_experiment_are_refused),
      SCRATCH_TEST(errors_in_assignments_are_marked_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
