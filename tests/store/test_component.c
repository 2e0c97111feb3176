/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/component.h"
#include "store_test.h"

static const float values[] = {1, 2, 3};
static const struct safetensor tensor = {"conv1.weight", "F32", 1, {3}, values, sizeof values};
static const char *const classes[] = {"cat", "dög", "\"quoted\", with a comma"};
static const char *const networks[] = {"a", "b"};
static const struct component_aligner aligners[] = {{"rotation", 1.0}, {"shared-init", 0.1}};
static const float mean[] = {0.4914f, 0.4822f, 0.4465f}, deviation[] = {0.247f, 1.0f / 3, 1e-30f};

static const struct component_info full = {
    .kind = "extractor",
    .plugin = "resnet",
    .version = "1.0.0",
    .params = "{\"depth\": 20}",
    .split = "layer2",
    .input = {3, 32, 32},
    .output = {32, 16, 16},
    .class_names = classes,
    .class_count = 3,
    .mean = mean,
    .deviation = deviation,
    .channel_count = 3,
    .aligned_with = networks,
    .aligned_count = 2,
    .aligned_by = aligners,
    .aligner_count = 2,
    .own_accuracy = 0.7954,
    .experiment_hash = "ba7816bf",
    .network = "a",
    .seed = "0",
    .dovetail = "1.0.0",
};

/* Writes and reads back; the caller clears what it gets. */
static struct component_info round_trip(void **state, const struct component_info *info) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "file");
  struct component_info found;
  assert_true(component_write(path, info, &tensor, 1, &error));
  AUTO(safetensors) file = safetensors_read(path, &error);
  assert_non_null(file);
  assert_memory_equal(safetensors_find(file, "conv1.weight")->data, values, sizeof values);
  assert_true(component_read_info(file, &found, &error));
  return found;
}

static void everything_reads_back(void **state) {
  struct component_info found = round_trip(state, &full);
  assert_string_equal(found.kind, full.kind);
  assert_string_equal(found.plugin, full.plugin);
  assert_string_equal(found.version, full.version);
  assert_string_equal(found.params, full.params);
  assert_string_equal(found.split, full.split);
  assert_string_equal(found.experiment_hash, full.experiment_hash);
  assert_string_equal(found.dovetail, full.dovetail);
  assert_string_equal(found.network, full.network);
  assert_string_equal(found.seed, full.seed);
  assert_memory_equal(found.input, full.input, sizeof full.input);
  assert_memory_equal(found.output, full.output, sizeof full.output);
  assert_int_equal(found.class_count, 3);
  for (guint k = 0; k < 3; k++) assert_string_equal(found.class_names[k], classes[k]);
  assert_int_equal(found.channel_count, 3);
  assert_memory_equal(found.mean, mean, sizeof mean); /* to the last bit */
  assert_memory_equal(found.deviation, deviation, sizeof deviation);
  assert_int_equal(found.aligned_count, 2);
  for (guint k = 0; k < 2; k++) assert_string_equal(found.aligned_with[k], networks[k]);
  assert_int_equal(found.aligner_count, 2);
  for (guint k = 0; k < 2; k++) {
    assert_string_equal(found.aligned_by[k].plugin, aligners[k].plugin);
    assert_true(found.aligned_by[k].weight == aligners[k].weight);
  }
  assert_true(found.own_accuracy == full.own_accuracy);
  component_info_clear(&found);
}

static void assert_empty(const struct component_info *info) {
  static const gint64 none[3];
  assert_null(info->kind);
  assert_null(info->plugin);
  assert_null(info->version);
  assert_null(info->params);
  assert_null(info->split);
  assert_null(info->experiment_hash);
  assert_null(info->network);
  assert_null(info->seed);
  assert_null(info->dovetail);
  assert_memory_equal(info->input, none, sizeof none);
  assert_memory_equal(info->output, none, sizeof none);
  assert_int_equal(info->class_count + info->channel_count + info->aligned_count + info->aligner_count, 0);
  assert_null(info->class_names);
  assert_null(info->mean);
  assert_null(info->deviation);
  assert_null(info->aligned_with);
  assert_null(info->aligned_by);
  assert_true(isnan(info->own_accuracy));
}

static void what_is_absent_stays_absent(void **state) {
  const struct component_info none = {.own_accuracy = (double)NAN};
  struct component_info found = round_trip(state, &none);
  assert_empty(&found);
  component_info_clear(&found);
}

static void an_accuracy_of_zero_is_not_absent(void **state) {
  const struct component_info zero = {.own_accuracy = 0};
  struct component_info found = round_trip(state, &zero);
  assert_true(found.own_accuracy == 0);
  component_info_clear(&found);
}

static void clearing_leaves_nothing(void **state) {
  struct component_info found = round_trip(state, &full);
  component_info_clear(&found);
  assert_empty(&found);
  component_info_clear(&found); /* again does no harm */
}

static const char *look_up(const struct safetensors *file, const char *key) {
  return g_hash_table_lookup(file->metadata, key);
}

/* The form that docs/components.md states, for other readers. */
static void metadata_are_as_documented(void **state) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "file");
  assert_true(component_write(path, &full, &tensor, 1, &error));
  AUTO(safetensors) file = safetensors_read(path, &error);
  assert_int_equal(g_hash_table_size(file->metadata), 18);
  assert_string_equal(look_up(file, "dovetail.version"), "1.0.0");
  assert_string_equal(look_up(file, "dovetail.kind"), "extractor");
  assert_string_equal(look_up(file, "dovetail.plugin"), "resnet");
  assert_string_equal(look_up(file, "dovetail.plugin_version"), "1.0.0");
  assert_string_equal(look_up(file, "dovetail.params"), "{\"depth\": 20}");
  assert_string_equal(look_up(file, "dovetail.network"), "a");
  assert_string_equal(look_up(file, "dovetail.seed"), "0");
  assert_string_equal(look_up(file, "dovetail.split"), "layer2");
  assert_string_equal(look_up(file, "dovetail.input_shape"), "[3,32,32]");
  assert_string_equal(look_up(file, "dovetail.output_shape"), "[32,16,16]");
  assert_string_equal(look_up(file, "dovetail.classes"), "[\"cat\",\"dög\",\"\\\"quoted\\\", with a comma\"]");
  assert_true(g_str_has_prefix(look_up(file, "dovetail.mean"), "[0.4914"));
  assert_true(g_str_has_prefix(look_up(file, "dovetail.deviation"), "[0.246999"));
  assert_string_equal(look_up(file, "dovetail.aligned_with"), "[\"a\",\"b\"]");
  assert_string_equal(look_up(file, "dovetail.aligned_by"),
                      "[{\"plugin\":\"rotation\",\"weight\":1.0},{\"plugin\":\"shared-init\",\"weight\":0.1}]");
  assert_string_equal(look_up(file, "dovetail.own_accuracy"), "0.7954");
  assert_string_equal(look_up(file, "dovetail.experiment_hash"), "ba7816bf");
  assert_string_equal(look_up(file, "dovetail.tensors_sha256"),
                      "8e628779e6a74ee0b36991c10158f63cafec7d340ad4e075592502c8708524dd");
}

/* Whether the tensors of a file pass; an error must name the file. */
static gboolean passes(const char *path) {
  GError *error = NULL;
  AUTO(safetensors) file = safetensors_read(path, &error);
  assert_non_null(file);
  if (component_check_tensors(file, &error)) return TRUE;
  assert_failed_with(&error, path, "not those that were written", "'dovetail.tensors_sha256'", NULL);
  return FALSE;
}

static void every_flipped_bit_of_the_tensors_is_found(void **state) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "file"), *content = NULL;
  gsize size;
  assert_true(component_write(path, &full, &tensor, 1, &error));
  assert_true(passes(path));
  assert_true(g_file_get_contents(path, &content, &size, NULL));
  for (guint bit = 0; bit < 8 * sizeof values; bit++) {
    char *byte = content + size - sizeof values + bit / 8;
    *byte = (char)(*byte ^ 1 << bit % 8);
    assert_true(g_file_set_contents(path, content, (gssize)size, NULL));
    assert_false(passes(path));
    *byte = (char)(*byte ^ 1 << bit % 8);
  }
}

static void tensors_with_each_others_names_are_found(void **state) {
  static const float other[] = {4, 5, 6};
  const struct safetensor right[] = {tensor, {"bn1.weight", "F32", 1, {3}, other, sizeof other}};
  const struct safetensor wrong[] = {{"bn1.weight", "F32", 1, {3}, values, sizeof values},
                                     {"conv1.weight", "F32", 1, {3}, other, sizeof other}};
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "file");
  assert_true(component_write(path, &full, right, 2, &error));
  assert_true(passes(path));
  AUTO(safetensors) file = safetensors_read(path, &error);
  assert_true(safetensors_write(path, wrong, 2, file->metadata, &error));
  assert_false(passes(path));
}

static void files_of_others_have_no_info(void **state) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "file");
  g_autoptr(GHashTable) metadata = g_hash_table_new(g_str_hash, g_str_equal);
  g_hash_table_insert(metadata, (gpointer) "mean", (gpointer) "0.485,0.456,0.406");
  g_hash_table_insert(metadata, (gpointer) "dovetail.of_later_versions", (gpointer) "{");
  assert_true(safetensors_write(path, &tensor, 1, metadata, &error));
  AUTO(safetensors) file = safetensors_read(path, &error);
  struct component_info found;
  assert_true(component_read_info(file, &found, &error));
  assert_empty(&found);
  component_info_clear(&found);
  assert_true(component_check_tensors(file, &error));
}

static void malformed_values_are_named(void **state) {
  static const struct {
    const char *key, *value, *word;
  } wrong[] = {
      {"dovetail.params", "[1]", "a JSON object"},
      {"dovetail.params", "{\"a\":1,\"a\":2}", "a JSON object"},
      {"dovetail.params", "", "a JSON object"},
      {"dovetail.input_shape", "3,32,32", "three integers"},
      {"dovetail.input_shape", "[3,32]", "three integers"},
      {"dovetail.input_shape", "[3,32,32,1]", "three integers"},
      {"dovetail.output_shape", "[3,32,0]", "three integers"},
      {"dovetail.output_shape", "[3,32,1.5]", "three integers"},
      {"dovetail.output_shape", "{}", "three integers"},
      {"dovetail.seed", "-1", "an integer of at least 0"},
      {"dovetail.seed", "three", "an integer of at least 0"},
      {"dovetail.classes", "cat", "a list of texts"},
      {"dovetail.classes", "[\"cat\",1]", "a list of texts"},
      {"dovetail.classes", "[\"cat\\u001b[31m\"]", "a list of texts of one line each"},
      {"dovetail.split", "layer2\n\033[31m", "one line of text"},
      {"dovetail.split", "layer2\302\233m", "one line of text"},
      {"dovetail.mean", "[\"0.5\"]", "a list of numbers"},
      {"dovetail.mean", "[1e39]", "a list of numbers"},
      {"dovetail.mean", "[0.5]", "'dovetail.deviation' is not as long"},
      {"dovetail.deviation", "[0.5]", "'dovetail.deviation' is not as long"},
      {"dovetail.aligned_with", "null", "a list of texts"},
      {"dovetail.aligned_by", "[\"rotation\"]", "a list of aligners"},
      {"dovetail.aligned_by", "[{\"plugin\":\"rotation\"}]", "a list of aligners"},
      {"dovetail.aligned_by", "[{\"plugin\":1,\"weight\":1}]", "a list of aligners"},
      {"dovetail.aligned_by", "[{\"plugin\":\"a\\n\",\"weight\":1}]", "names of one line"},
      {"dovetail.own_accuracy", "high", "a number from 0 to 1"},
      {"dovetail.own_accuracy", "79.5", "a number from 0 to 1"},
      {"dovetail.own_accuracy", "-0.1", "a number from 0 to 1"},
      {"dovetail.own_accuracy", "\"0.5\"", "a number from 0 to 1"},
  };
  GError *error = NULL;
  for (gsize k = 0; k < G_N_ELEMENTS(wrong); k++) {
    g_autofree char *path = scratch_path(state, "file");
    g_autoptr(GHashTable) metadata = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(metadata, (gpointer) "dovetail.kind", (gpointer) "head");
    g_hash_table_insert(metadata, (gpointer)wrong[k].key, (gpointer)wrong[k].value);
    assert_true(safetensors_write(path, NULL, 0, metadata, &error));
    AUTO(safetensors) file = safetensors_read(path, &error);
    struct component_info found;
    assert_false(component_read_info(file, &found, &error));
    assert_failed_with(&error, path, wrong[k].key, wrong[k].word, NULL);
    assert_empty(&found);
  }
}

static void refuses(void **state, const struct component_info *info, const char *word) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "file");
  assert_false(component_write(path, info, &tensor, 1, &error));
  assert_failed_with(&error, path, word, NULL);
  assert_int_equal(scratch_count(*state), 0);
}

static void what_could_not_be_read_is_not_written(void **state) {
  static const char *const not_utf8[] = {"\xff"};
  static const float infinite[] = {0, INFINITY, 0};
  static const struct component_aligner unlimited = {"rotation", (double)INFINITY};
  struct component_info info = full;
  info.params = "depth: 20";
  refuses(state, &info, "'dovetail.params' is not a JSON object");
  info = full, info.class_names = not_utf8, info.class_count = 1;
  refuses(state, &info, "'dovetail.classes'");
  info = full, info.mean = infinite;
  refuses(state, &info, "'dovetail.mean'");
  info = full, info.aligned_by = &unlimited, info.aligner_count = 1;
  refuses(state, &info, "'dovetail.aligned_by'");
  info = full, info.own_accuracy = (double)INFINITY;
  refuses(state, &info, "'dovetail.own_accuracy'");
  info = full, info.split = "\xff";
  refuses(state, &info, "'dovetail.split'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(everything_reads_back),
      SCRATCH_TEST(what_is_absent_stays_absent),
      SCRATCH_TEST(an_accuracy_of_zero_is_not_absent),
      SCRATCH_TEST(clearing_leaves_nothing),
      SCRATCH_TEST(metadata_are_as_documented),
      SCRATCH_TEST(every_flipped_bit_of_the_tensors_is_found),
      SCRATCH_TEST(tensors_with_each_others_names_are_found),
      SCRATCH_TEST(files_of_others_have_no_info),
      SCRATCH_TEST(malformed_values_are_named),
      SCRATCH_TEST(what_could_not_be_read_is_not_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
