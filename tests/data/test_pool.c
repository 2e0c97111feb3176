/* SPDX-License-Identifier: MIT */
/* Two plugins of one source, which count how often a dataset of theirs is opened and destroyed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/pool.h"

static guint opened, destroyed;

static const char *const class_names[] = {"only"};
static const float half[] = {0.5f};

/* Its number is how many training examples it has; 0: init refuses it. */
struct counted {
  gint64 number;
  const struct dvt_host *host;
  struct dvt_dataset_info about;
};

static int create(const struct dvt_value *values, void **dataset, struct dvt_error *error) {
  if (values[0].integer < 0) return dvt_fail(error, DVT_ERROR_ARGUMENT, "below 0");
  struct counted *counted = g_new0(struct counted, 1);
  counted->number = values[0].integer;
  *dataset = counted;
  return DVT_OK;
}

static void destroy(void *dataset) {
  g_free(dataset);
  destroyed++;
}

static int init(void *dataset, const struct dvt_host *host, struct dvt_error *error) {
  struct counted *counted = dataset;
  opened++;
  if (!counted->number) return dvt_fail(error, DVT_ERROR_IO, "nothing in it");
  counted->host = host;
  counted->about = (struct dvt_dataset_info){.struct_size = sizeof counted->about,
                                             .class_count = 1,
                                             .image = {1, 1, 4},
                                             .count = {(uint64_t)counted->number, 1},
                                             .class_names = class_names,
                                             .mean = half,
                                             .deviation = half};
  return DVT_OK;
}

static const struct dvt_dataset_info *info(const void *dataset) { return &((const struct counted *)dataset)->about; }

static double seconds_of(void *data, uint32_t way) {
  (void)data;
  return way ? 1 : 2;
}

/* Random bytes; of the test example the first says which way the host chose. */
static int read_example(const void *dataset, enum dvt_subset subset, uint64_t index, uint8_t *image, uint32_t *label,
                        struct dvt_error *error) {
  (void)error;
  static const char *const ways[] = {"slow", "fast"};
  const struct dvt_host *host = ((const struct counted *)dataset)->host;
  uint32_t word;
  host->random(host, "images", subset, index, &word, 1);
  memcpy(image, &word, sizeof word);
  if (subset == DVT_SUBSET_TEST) image[0] = (uint8_t)host->choose(host, "test", 2, ways, seconds_of, NULL);
  *label = 0;
  return DVT_OK;
}

static const struct dvt_param params[] = {
    {.name = "number", .type = DVT_TYPE_INT, .initial = "1", .doc = "How many"},
    {.name = "text", .type = DVT_TYPE_STRING, .initial = "a", .doc = "Anything"},
};
static const struct dvt_dataset_ops ops = {sizeof ops, 0, create, destroy, init, info, read_example};
static const struct dvt_plugin one = {DVT_PLUGIN_HEAD, .kind = DVT_KIND_DATASET, .name = "one", DVT_PARAMS(params),
                                      .ops = &ops};
static const struct dvt_plugin two = {DVT_PLUGIN_HEAD, .kind = DVT_KIND_DATASET, .name = "two", DVT_PARAMS(params),
                                      .ops = &ops};
static const struct mark mark = {"test.yaml", 3, 4};

/* The values are the caller's no longer when this returns. */
static const struct dataset *try(struct dataset_pool *pool, const struct dvt_plugin *plugin, const char *text,
                                 GError **error) {
  AUTO(yaml_tree) tree = yaml_read_text("test.yaml", text, strlen(text), NULL);
  AUTO(values) values =
      values_check(plugin->name, plugin->params, plugin->param_size, plugin->param_count, yaml_root(tree), mark, NULL);
  assert_non_null(values);
  const struct plugin_use use = {plugin->name, mark, yaml_root(tree)};
  return dataset_pool_open(pool, plugin, values, &use, error);
}

static const struct dataset *open_right(struct dataset_pool *pool, const struct dvt_plugin *plugin, const char *text) {
  GError *error = NULL;
  const struct dataset *dataset = try(pool, plugin, text, &error);
  if (!dataset) fail_msg("%s", error->message);
  return dataset;
}

static const struct dataset *open_number(struct dataset_pool *pool, guint number) {
  g_autofree char *text = g_strdup_printf("{number: %u}", number);
  return open_right(pool, &one, text);
}

static int forget(void **state) {
  (void)state;
  opened = destroyed = 0;
  return 0;
}

static void the_same_values_are_opened_once(void **state) {
  (void)state;
  AUTO(dataset_pool) pool = dataset_pool_new();
  const struct dataset *dataset = open_right(pool, &one, "{number: 3}");
  assert_ptr_equal(open_right(pool, &one, "{text: a, number: 3}"), dataset);
  assert_int_equal(dataset->info->count[DVT_SUBSET_TRAIN], 3);
  dataset_pool_close(pool, dataset);
  dataset_pool_close(pool, dataset);
  assert_ptr_equal(open_right(pool, &one, "{number: 3, text: a}"), dataset);
  dataset_pool_close(pool, dataset);
  assert_int_equal(opened, 1);
  assert_int_equal(destroyed, 0);
}

static void other_values_or_plugins_are_other_datasets(void **state) {
  (void)state;
  AUTO(dataset_pool) pool = dataset_pool_new();
  const struct dataset *datasets[] = {open_right(pool, &one, "{number: 3}"), open_right(pool, &one, "{number: 4}"),
                                      open_right(pool, &one, "{number: 3, text: b}"),
                                      open_right(pool, &two, "{number: 3}")};
  assert_int_equal(opened, 4);
  assert_int_equal(datasets[1]->info->count[DVT_SUBSET_TRAIN], 4);
  assert_ptr_equal(datasets[3]->plugin, &two);
  for (guint k = 0; k < G_N_ELEMENTS(datasets); k++) {
    for (guint before = 0; before < k; before++) assert_ptr_not_equal(datasets[k], datasets[before]);
    dataset_pool_close(pool, datasets[k]);
  }
}

static void a_few_that_nobody_uses_are_kept(void **state) {
  (void)state;
  AUTO(dataset_pool) pool = dataset_pool_new();
  const struct dataset *used = open_number(pool, 100);
  for (guint number = 1; number <= DATASET_POOL_IDLE + 1; number++) dataset_pool_close(pool, open_number(pool, number));
  assert_int_equal(destroyed, 1);
  dataset_pool_close(pool, open_number(pool, 2));
  assert_int_equal(opened, DATASET_POOL_IDLE + 2);
  dataset_pool_close(pool, open_number(pool, 1));
  assert_int_equal(opened, DATASET_POOL_IDLE + 3);
  dataset_pool_close(pool, open_number(pool, 2)); /* 3 went: it was not used since */
  assert_int_equal(opened, DATASET_POOL_IDLE + 3);
  dataset_pool_close(pool, open_number(pool, 3));
  assert_int_equal(opened, DATASET_POOL_IDLE + 4);
  assert_ptr_equal(open_number(pool, 100), used);
  assert_int_equal(opened, DATASET_POOL_IDLE + 4);
  dataset_pool_close(pool, used);
  dataset_pool_close(pool, used);
}

static void all_go_with_the_pool(void **state) {
  (void)state;
  struct dataset_pool *pool = dataset_pool_new();
  dataset_pool_close(pool, open_number(pool, 1));
  dataset_pool_close(pool, open_number(pool, 2));
  assert_int_equal(destroyed, 0);
  dataset_pool_free(pool);
  assert_int_equal(destroyed, 2);
  dataset_pool_free(NULL);
}

static void what_is_refused_is_tried_again(void **state) {
  (void)state;
  AUTO(dataset_pool) pool = dataset_pool_new();
  for (guint attempt = 1; attempt <= 2; attempt++) {
    g_autoptr(GError) error = NULL, wrong = NULL;
    assert_null(try(pool, &one, "{number: 0}", &error));
    assert_int_equal(error->code, DOVETAIL_FAILED);
    assert_non_null(strstr(error->message, "nothing in it"));
    assert_int_equal(opened, attempt);
    assert_int_equal(destroyed, attempt);
    assert_null(try(pool, &one, "{number: -1}", &wrong));
    assert_int_equal(wrong->code, DOVETAIL_WRONG);
    assert_non_null(strstr(wrong->message, "test.yaml:3:4"));
  }
}

static void read_four(const struct dataset *dataset, enum dvt_subset subset, guint8 image[4]) {
  guint32 label;
  assert_true(dataset_read(dataset, subset, 0, image, &label, NULL));
}

static void plugins_have_streams_of_their_own(void **state) {
  (void)state;
  AUTO(dataset_pool) pool = dataset_pool_new();
  const struct dataset *first = open_right(pool, &one, "{}"), *same = open_right(pool, &one, "{number: 2}"),
                       *other = open_right(pool, &two, "{}");
  guint8 images[3][4];
  read_four(first, DVT_SUBSET_TRAIN, images[0]);
  read_four(same, DVT_SUBSET_TRAIN, images[1]);
  read_four(other, DVT_SUBSET_TRAIN, images[2]);
  assert_memory_equal(images[0], images[1], 4);
  assert_memory_not_equal(images[0], images[2], 4);
  dataset_pool_close(pool, first);
  dataset_pool_close(pool, same);
  dataset_pool_close(pool, other);
}

static void choices_reach_what_is_open(void **state) {
  (void)state;
  AUTO(choices) choices = choices_new("test machine");
  AUTO(dataset_pool) pool = dataset_pool_new();
  const struct dataset *dataset = open_right(pool, &one, "{}");
  guint8 image[4];
  read_four(dataset, DVT_SUBSET_TEST, image);
  assert_int_equal(image[0], 0);
  dataset_pool_choose(pool, choices);
  read_four(dataset, DVT_SUBSET_TEST, image);
  assert_int_equal(image[0], 1);
  dataset_pool_close(pool, dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(the_same_values_are_opened_once, forget),
      cmocka_unit_test_setup(other_values_or_plugins_are_other_datasets, forget),
      cmocka_unit_test_setup(a_few_that_nobody_uses_are_kept, forget),
      cmocka_unit_test_setup(all_go_with_the_pool, forget),
      cmocka_unit_test_setup(what_is_refused_is_tried_again, forget),
      cmocka_unit_test(plugins_have_streams_of_their_own),
      cmocka_unit_test(choices_reach_what_is_open),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
