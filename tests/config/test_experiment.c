/* SPDX-License-Identifier: MIT */
#include "experiment_test.h"

static const char smallest[] = "name: small\n"
                               "data: {plugin: shapes}\n"
                               "networks:\n"
                               "  a: &net {backbone: {plugin: resnet}, split: layer2, head: {plugin: linear}}\n"
                               "  b: *net\n";

static void has_defaults_for_all_that_may_be_left_out(void **state) {
  AUTO(experiment) experiment = read_good(state, smallest, NULL);
  g_autofree char *path = experiment_path(state);
  assert_string_equal(experiment->path, path);
  assert_string_equal(experiment->name, "small");
  assert_int_equal(experiment->seed, 1);
  assert_int_equal(experiment->scheme, SCHEME_JOINT);
  assert_int_equal(experiment->aligner_count, 0);
  const struct network_spec *b = &experiment->networks[1];
  assert_int_equal(experiment->network_count, 2);
  assert_string_equal(b->name, "b");
  assert_string_equal(b->data.use.plugin, "shapes");
  assert_true(b->data.limit[DVT_SUBSET_TRAIN] == G_MAXUINT64 && b->data.limit[DVT_SUBSET_TEST] == G_MAXUINT64);
  assert_null(b->backbone.params);
  assert_null(b->classes);
  assert_null(b->from.path);
  const struct train_spec *train = &experiment->train;
  assert_int_equal(train->steps, 64000);
  assert_int_equal(train->epochs, 0);
  assert_int_equal(train->batch, 128);
  assert_int_equal(train->precision, DVT_PRECISION_AUTO);
  assert_int_equal(train->threads, 0);
  assert_true(train->momentum == 0.9 && train->weight_decay == 1e-4 && !train->nesterov);
  assert_int_equal(train->pad, 4);
  assert_true(train->flip);
  assert_int_equal(train->check, 100);
  assert_int_equal(train->schedule.kind, SCHEDULE_STEP);
  assert_true(train->schedule.rate == 0.1 && train->schedule.warmup == 0 && train->schedule.factor == 0.1);
  assert_int_equal(train->schedule.drop_count, 2);
  assert_true(train->schedule.drops[0] == 0.5 && train->schedule.drops[1] == 0.75);
}

static void assert_good_networks(const struct experiment *experiment) {
  const struct network_spec *a = &experiment->networks[0], *b = &experiment->networks[1];
  assert_int_equal(experiment->network_count, 2);
  assert_true(a->data.limit[DVT_SUBSET_TRAIN] == 1000 && a->data.limit[DVT_SUBSET_TEST] == G_MAXUINT64);
  assert_true(b->data.limit[DVT_SUBSET_TRAIN] == 500 && b->data.limit[DVT_SUBSET_TEST] == 100);
  assert_string_equal(b->data.use.plugin, "cifar10");
  assert_string_equal(yaml_get(b->data.use.params, "path")->text, "../data");
  assert_string_equal(b->backbone.plugin, "resnet");
  assert_string_equal(b->head.plugin, "resnet-tail");
  assert_string_equal(yaml_get(b->head.params, "depth")->text, "20");
  assert_string_equal(b->split, "layer2");
  assert_null(a->classes);
  assert_int_equal(b->classes->items->len, 3);
}

static void assert_good_aligners(const struct experiment *experiment) {
  const struct aligner_spec *rotation = &experiment->aligners[0], *other = &experiment->aligners[1];
  assert_int_equal(experiment->aligner_count, 2);
  assert_string_equal(rotation->use.plugin, "rotation");
  assert_true(rotation->weight == 0.1 && other->weight == 1);
  assert_null(rotation->use.params);
  assert_string_equal(rotation->from.path, "/runs/other");
  assert_null(other->from.path);
  assert_string_equal(other->use.plugin, "third-party");
  assert_string_equal(yaml_get(other->use.params, "text")->text, "quoted: #text");
  assert_int_equal(yaml_get(other->use.params, "list")->items->len, 4);
}

static void assert_good_training(const struct train_spec *train) {
  assert_int_equal(train->epochs, 5);
  assert_int_equal(train->steps, 0);
  assert_int_equal(train->batch, 64);
  assert_int_equal(train->precision, DVT_PRECISION_FLOAT32);
  assert_int_equal(train->threads, 2);
  assert_true(train->momentum == 0.95 && train->weight_decay == 5e-4 && train->nesterov);
  assert_int_equal(train->pad, 2);
  assert_false(train->flip);
  assert_int_equal(train->check, 7);
  assert_int_equal(train->schedule.kind, SCHEDULE_STEP);
  assert_true(train->schedule.rate == 0.05 && train->schedule.warmup == 0.02 && train->schedule.factor == 0.2);
  assert_int_equal(train->schedule.drop_count, 3);
  assert_true(train->schedule.drops[0] == 0.4 && train->schedule.drops[2] == 0.8);
}

/* Both files that are read lie in one folder, where relative paths begin. */
static void assert_good_from(const struct experiment *experiment) {
  g_autofree char *folder = g_path_get_dirname(experiment->path);
  g_autofree char *path = g_build_filename(folder, "runs/earlier", NULL);
  assert_string_equal(experiment->networks[1].from.path, path);
  assert_null(experiment->networks[0].from.path);
}

static void assert_good(const struct experiment *experiment) {
  assert_string_equal(experiment->name, "everything-1");
  assert_int_equal(experiment->seed, 7);
  assert_int_equal(experiment->scheme, SCHEME_INCREMENTAL);
  assert_good_from(experiment);
  assert_good_networks(experiment);
  assert_good_aligners(experiment);
  assert_good_training(&experiment->train);
}

static void reads_every_key(void **state) {
  g_autofree char *text = good_text();
  AUTO(experiment) experiment = read_good(state, text, NULL);
  assert_good(experiment);
}

static void knows_the_places_of_names(void **state) {
  g_autofree char *text = good_text(), *path = experiment_path(state);
  AUTO(experiment) experiment = read_good(state, text, NULL);
  const struct network_spec *b = &experiment->networks[1];
  assert_int_equal(b->mark.line, 11);
  assert_int_equal(b->mark.column, 3);
  assert_int_equal(b->split_mark.line, 9);
  assert_int_equal(b->head.mark.column, 20);
  assert_string_equal(b->head.mark.file, path);
}

static void schedules_have_keys_of_their_own(void **state) {
  const char *const one_cycle[] = {"train.schedule={kind: one-cycle, peak: 0.3}", NULL};
  AUTO(experiment) first = read_good(state, smallest, one_cycle);
  assert_int_equal(first->train.schedule.kind, SCHEDULE_ONE_CYCLE);
  assert_true(first->train.schedule.rate == 0.3 && first->train.schedule.warmup == 0.2);
  const char *const cosine[] = {"train.schedule={kind: cosine, rate: 0.05, warmup: 1e-2}", NULL};
  AUTO(experiment) second = read_good(state, smallest, cosine);
  assert_int_equal(second->train.schedule.kind, SCHEDULE_COSINE);
  assert_true(second->train.schedule.rate == 0.05 && second->train.schedule.warmup == 0.01);
}

static void sets_come_after_the_file_and_in_order(void **state) {
  const char *const sets[] = {"networks.b.split=layer1",       "train.epochs=3",      "train.epochs=4",
                              "aligners=[{plugin: rotation}]", "aligners.0.weight=2", NULL};
  AUTO(experiment) experiment = read_good(state, smallest, sets);
  assert_string_equal(experiment->networks[0].split, "layer2");
  assert_string_equal(experiment->networks[1].split, "layer1");
  assert_int_equal(experiment->train.epochs, 4);
  assert_true(experiment->aligners[0].weight == 2);
}

static void networks_may_each_have_data_of_their_own(void **state) {
  const char *text = "name: own\n"
                     "networks:\n"
                     "  a: {data: {plugin: x}, backbone: {plugin: b}, split: s, head: {plugin: h}}\n"
                     "  b: {data: {plugin: y}, backbone: {plugin: b}, split: s, head: {plugin: h}}\n";
  AUTO(experiment) experiment = read_good(state, text, NULL);
  assert_string_equal(experiment->networks[0].data.use.plugin, "x");
  assert_string_equal(experiment->networks[1].data.use.plugin, "y");
}

static void the_resolved_form_reads_back_the_same(void **state) {
  g_autofree char *text = good_text();
  AUTO(experiment) given = read_good(state, text, NULL);
  g_autofree char *resolved = experiment_resolved(given, NULL);
  AUTO(experiment) again = read_good(state, resolved, NULL);
  assert_good(again);
}

static void expect_resolved_once(void **state, const char *text, const char *const *sets) {
  AUTO(experiment) given = read_good(state, text, sets);
  g_autofree char *once = experiment_resolved(given, NULL);
  AUTO(experiment) again = read_good(state, once, NULL);
  g_autofree char *twice = experiment_resolved(again, NULL);
  assert_string_equal(once, twice);
}

static void resolving_again_changes_nothing(void **state) {
  g_autofree char *text = good_text();
  expect_resolved_once(state, text, NULL);
  expect_resolved_once(state, smallest, NULL);
  const char *const odd[] = {"name='null'",
                             "networks.a.split=''",
                             "networks.b.data={plugin: 'yes', limit: {test: 3}}",
                             "train.schedule={kind: one-cycle, peak: 0.1234567890123}",
                             "seed=9223372036854775807",
                             "networks.on={backbone: {plugin: 5}, split: 3, head: {plugin: \"a\\tb\"}}",
                             NULL};
  expect_resolved_once(state, smallest, odd);
}

static void the_resolved_form_tells_every_default(void **state) {
  AUTO(experiment) experiment = read_good(state, smallest, NULL);
  g_autofree char *resolved = experiment_resolved(experiment, NULL);
  assert_string_equal(resolved, "name: small\n"
                                "seed: 1\n"
                                "scheme: joint\n"
                                "networks:\n"
                                "  a:\n"
                                "    data:\n"
                                "      plugin: shapes\n"
                                "      limit: {}\n"
                                "    backbone:\n"
                                "      plugin: resnet\n"
                                "    split: layer2\n"
                                "    head:\n"
                                "      plugin: linear\n"
                                "  b:\n"
                                "    data:\n"
                                "      plugin: shapes\n"
                                "      limit: {}\n"
                                "    backbone:\n"
                                "      plugin: resnet\n"
                                "    split: layer2\n"
                                "    head:\n"
                                "      plugin: linear\n"
                                "aligners: []\n"
                                "train:\n"
                                "  steps: 64000\n"
                                "  batch: 128\n"
                                "  precision: auto\n"
                                "  threads: 0\n"
                                "  momentum: 0.9\n"
                                "  nesterov: false\n"
                                "  weight_decay: 0.0001\n"
                                "  augment:\n"
                                "    pad: 4\n"
                                "    flip: true\n"
                                "  schedule:\n"
                                "    kind: step\n"
                                "    rate: 0.1\n"
                                "    warmup: 0\n"
                                "    drops:\n"
                                "    - 0.5\n"
                                "    - 0.75\n"
                                "    factor: 0.1\n"
                                "  check: 100\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(has_defaults_for_all_that_may_be_left_out),
      SCRATCH_TEST(reads_every_key),
      SCRATCH_TEST(knows_the_places_of_names),
      SCRATCH_TEST(schedules_have_keys_of_their_own),
      SCRATCH_TEST(sets_come_after_the_file_and_in_order),
      SCRATCH_TEST(networks_may_each_have_data_of_their_own),
      SCRATCH_TEST(the_resolved_form_reads_back_the_same),
      SCRATCH_TEST(resolving_again_changes_nothing),
      SCRATCH_TEST(the_resolved_form_tells_every_default),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
