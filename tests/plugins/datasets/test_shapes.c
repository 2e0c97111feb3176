/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "opened.h"

enum { IMAGE = 3 * 32 * 32 };

static const struct dvt_plugin *shapes;

static struct dataset *open_shapes(const char *params) {
  g_autoptr(GError) error = NULL;
  struct dataset *dataset = dataset_opened(shapes, test_host(), params, &error);
  if (!dataset) fail_msg("%s", error->message);
  return dataset;
}

static guint32 read_image(const struct dataset *dataset, enum dvt_subset subset, guint64 index, guint8 *image) {
  guint32 label = 1000;
  assert_true(dataset_read(dataset, subset, index, image, &label, NULL));
  return label;
}

static void describes_itself(void **state) {
  (void)state;
  AUTO(dataset) dataset = open_shapes("{}");
  const struct dvt_dataset_info *info = dataset->info;
  assert_int_equal(shapes->kind, DVT_KIND_DATASET);
  assert_null(shapes->next);
  assert_int_equal(info->class_count, 10);
  assert_int_equal(info->image[0] * 10000 + info->image[1] * 100 + info->image[2], 33232);
  assert_int_equal(info->count[DVT_SUBSET_TRAIN], 5000);
  assert_int_equal(info->count[DVT_SUBSET_TEST], 1000);
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint k = 0; k < 10; k++) assert_true(g_hash_table_add(names, (gpointer)info->class_names[k]));
  ((const struct dvt_dataset_ops *)shapes->ops)->destroy(NULL);
}

static void every_class_is_there_equally(void **state) {
  (void)state;
  AUTO(dataset) dataset = open_shapes("{train: 200, test: 50}");
  guint8 image[IMAGE];
  for (int subset = 0; subset < DVT_SUBSET_COUNT; subset++) {
    const guint64 count = dataset->info->count[subset];
    guint64 found[10] = {0};
    for (guint64 index = 0; index < count; index++) found[read_image(dataset, subset, index, image)]++;
    for (guint label = 0; label < 10; label++) assert_int_equal(found[label], count / 10);
  }
}

static void reads_the_same_on_several_threads(void **state) {
  (void)state;
  AUTO(dataset) dataset = open_shapes("{train: 200, test: 50}");
  assert_threads_agree(dataset, DVT_SUBSET_TRAIN);
  assert_threads_agree(dataset, DVT_SUBSET_TEST);
}

static void images_depend_on_seed_subset_and_index_alone(void **state) {
  (void)state;
  AUTO(dataset) few = open_shapes("{train: 100, test: 10, seed: 3}");
  AUTO(dataset) many = open_shapes("{train: 250, test: 40, seed: 3}");
  AUTO(dataset) other = open_shapes("{train: 100, test: 10, seed: 4}");
  guint8 a[IMAGE], b[IMAGE], c[IMAGE];
  for (int subset = 0; subset < DVT_SUBSET_COUNT; subset++)
    for (guint64 index = 0; index < few->info->count[subset]; index++) {
      assert_int_equal(read_image(few, subset, index, a), read_image(many, subset, index, b));
      read_image(other, subset, index, c);
      assert_memory_equal(a, b, IMAGE);
      assert_memory_not_equal(a, c, IMAGE);
    }
}

static void no_image_comes_twice(void **state) {
  (void)state;
  AUTO(dataset) dataset = open_shapes("{}");
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  guint8 image[IMAGE];
  for (int subset = 0; subset < DVT_SUBSET_COUNT; subset++)
    for (guint64 index = 0; index < dataset->info->count[subset]; index++) {
      read_image(dataset, subset, index, image);
      assert_true(g_hash_table_add(seen, g_compute_checksum_for_data(G_CHECKSUM_SHA256, image, IMAGE)));
    }
}

static void mean_and_deviation_are_those_of_the_default_images(void **state) {
  (void)state;
  struct services services;
  services_init(&services, 0);
  services.owner = "dataset shapes"; /* the images of an experiment */
  AUTO(dataset) dataset = dataset_opened(shapes, &services.table, "{}", NULL);
  AUTO(dataset) other = open_shapes("{train: 300, test: 10, seed: 1}");
  assert_memory_equal(other->info->mean, dataset->info->mean, 3 * sizeof(float));
  assert_memory_equal(other->info->deviation, dataset->info->deviation, 3 * sizeof(float));
  for (guint channel = 0; channel < 3; channel++) {
    double mean, deviation;
    measure_channel(dataset, channel, &mean, &deviation);
    assert_true(fabs(mean - (double)dataset->info->mean[channel]) < 1e-6);
    assert_true(fabs(deviation - (double)dataset->info->deviation[channel]) < 1e-6);
  }
}

static void refuses_wrong_parameters(void **state) {
  (void)state;
  ASSERT_REFUSED(shapes, "{train: 9}", "test.yaml:1:9", "train");
  ASSERT_REFUSED(shapes, "{train: 1000001}", "test.yaml:1:9", "train");
  ASSERT_REFUSED(shapes, "{test: 0}", "test.yaml:1:8", "test");
  ASSERT_REFUSED(shapes, "{seed: -1}", "test.yaml:1:8", "seed");
  ASSERT_REFUSED(shapes, "{seed: x}", "test.yaml:1:8", "seed");
  ASSERT_REFUSED(shapes, "{trains: 10}", "test.yaml:1:2", "'train'");
}

static gint allocations;

static void *count_allocation(const struct dvt_host *host, size_t size) {
  g_atomic_int_inc(&allocations);
  return test_host()->allocate(host, size);
}

static void draws_a_subset_once_when_it_is_read(void **state) {
  (void)state;
  struct dvt_host host = *test_host();
  host.allocate = count_allocation;
  for (guint round = 0; round < 20; round++) {
    g_atomic_int_set(&allocations, 0);
    AUTO(dataset) dataset = dataset_opened(shapes, &host, "{train: 40, test: 30}", NULL);
    assert_int_equal(allocations, 0);
    assert_threads_agree(dataset, DVT_SUBSET_TRAIN);
    assert_int_equal(allocations, 1);
    assert_threads_agree(dataset, DVT_SUBSET_TEST);
    assert_int_equal(allocations, 2);
  }
}

static void *no_memory(const struct dvt_host *host, size_t size) {
  (void)host;
  (void)size;
  return NULL;
}

static void says_when_there_is_no_memory(void **state) {
  (void)state;
  struct dvt_host host = *test_host();
  g_autoptr(GError) error = NULL;
  guint8 image[IMAGE];
  guint32 label;
  host.allocate = no_memory;
  AUTO(dataset) dataset = dataset_opened(shapes, &host, "{train: 20}", NULL);
  assert_false(dataset_read(dataset, DVT_SUBSET_TRAIN, 0, image, &label, &error));
  assert_non_null(strstr(error->message, "out of memory for 20 images"));
  host.allocate = test_host()->allocate;
  read_image(dataset, DVT_SUBSET_TRAIN, 0, image);
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
  shapes = plugin_load(arguments[1], "shapes");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(describes_itself),
      cmocka_unit_test(every_class_is_there_equally),
      cmocka_unit_test(reads_the_same_on_several_threads),
      cmocka_unit_test(images_depend_on_seed_subset_and_index_alone),
      cmocka_unit_test(no_image_comes_twice),
      cmocka_unit_test(draws_a_subset_once_when_it_is_read),
      cmocka_unit_test(mean_and_deviation_are_those_of_the_default_images),
      cmocka_unit_test(refuses_wrong_parameters),
      cmocka_unit_test(says_when_there_is_no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
