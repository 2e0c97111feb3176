/* SPDX-License-Identifier: MIT */
/* cifar10 and cifar100 on files that are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cifar_files.h"
#include "opened.h"

static const struct dvt_plugin *cifar10, *cifar100;

static struct dataset *open_folder(const struct dvt_plugin *plugin, const char *folder, const char *more) {
  g_autofree char *params = g_strdup_printf("{path: %s%s}", folder, more);
  g_autoptr(GError) error = NULL;
  struct dataset *dataset = dataset_opened(plugin, test_host(), params, &error);
  if (!dataset) fail_msg("%s", error->message);
  return dataset;
}

static void assert_example(const struct dataset *dataset, enum dvt_subset subset, guint64 index, const char *file,
                           guint record, guint32 label) {
  guint8 expected[CIFAR_TEST_IMAGE], image[CIFAR_TEST_IMAGE];
  guint32 found = 1000;
  cifar_pixels(file, record, expected);
  assert_true(dataset_read(dataset, subset, index, image, &found, NULL));
  assert_int_equal(found, label);
  assert_memory_equal(image, expected, sizeof image);
}

static void describes_itself(void **state) {
  (void)state;
  assert_int_equal(cifar10->kind, DVT_KIND_DATASET);
  assert_int_equal(cifar100->kind, DVT_KIND_DATASET);
  assert_int_equal(cifar10->param_count, 1);
  assert_int_equal(cifar100->param_count, 2);
  assert_null(cifar10->params[0].initial);
  ((const struct dvt_dataset_ops *)cifar10->ops)->destroy(NULL);
}

static void reads_all_files_of_cifar10_in_order(void **state) {
  const char *folder = *state;
  AUTO(dataset) dataset = open_folder(cifar10, folder, "");
  const struct dvt_dataset_info *info = dataset->info;
  assert_int_equal(info->class_count, 10);
  assert_int_equal(info->image[0] * 10000 + info->image[1] * 100 + info->image[2], 33232);
  assert_int_equal(info->count[DVT_SUBSET_TRAIN], 8);
  assert_int_equal(info->count[DVT_SUBSET_TEST], 2);
  assert_example(dataset, DVT_SUBSET_TRAIN, 0, "data_batch_1.bin", 0, 6);
  assert_example(dataset, DVT_SUBSET_TRAIN, 2, "data_batch_1.bin", 2, 0);
  assert_example(dataset, DVT_SUBSET_TRAIN, 3, "data_batch_2.bin", 0, 4);
  assert_example(dataset, DVT_SUBSET_TRAIN, 5, "data_batch_3.bin", 1, 1);
  assert_example(dataset, DVT_SUBSET_TRAIN, 6, "data_batch_4.bin", 0, 2);
  assert_example(dataset, DVT_SUBSET_TRAIN, 7, "data_batch_5.bin", 0, 7);
  assert_example(dataset, DVT_SUBSET_TEST, 0, "test_batch.bin", 0, 3);
  assert_example(dataset, DVT_SUBSET_TEST, 1, "test_batch.bin", 1, 8);
}

static void reads_fine_and_coarse_labels_of_cifar100(void **state) {
  const char *folder = *state;
  AUTO(dataset) usual = open_folder(cifar100, folder, "");
  AUTO(dataset) fine = open_folder(cifar100, folder, ", labels: fine");
  AUTO(dataset) coarse = open_folder(cifar100, folder, ", labels: coarse");
  assert_int_equal(usual->info->class_count, 100);
  assert_int_equal(coarse->info->class_count, 20);
  assert_example(usual, DVT_SUBSET_TRAIN, 3, "train.bin", 3, 77);
  assert_example(fine, DVT_SUBSET_TRAIN, 0, "train.bin", 0, 99);
  assert_example(coarse, DVT_SUBSET_TRAIN, 0, "train.bin", 0, 19);
  assert_example(fine, DVT_SUBSET_TEST, 1, "test.bin", 1, 0);
  assert_example(coarse, DVT_SUBSET_TEST, 0, "test.bin", 0, 5);
}

static void names_classes_without_a_names_file(void **state) {
  const char *folder = *state;
  AUTO(dataset) ten = open_folder(cifar10, folder, "");
  AUTO(dataset) fine = open_folder(cifar100, folder, "");
  AUTO(dataset) coarse = open_folder(cifar100, folder, ", labels: coarse");
  assert_string_equal(ten->info->class_names[0], "airplane");
  assert_string_equal(ten->info->class_names[9], "truck");
  assert_string_equal(fine->info->class_names[99], "worm");
  assert_string_equal(coarse->info->class_names[19], "vehicles_2");
  for (guint k = 1; k < 100; k++) assert_true(strcmp(fine->info->class_names[k - 1], fine->info->class_names[k]) < 0);
}

static void names_classes_as_the_names_file_does(void **state) {
  const char *folder = *state;
  cifar_replace(folder, "batches.meta.txt", "zero\r\none\n2\n3\n4\n5\n6\n7\n8\nthe last\n\n\n", -1);
  AUTO(dataset) dataset = open_folder(cifar10, folder, "");
  assert_string_equal(dataset->info->class_names[0], "zero");
  assert_string_equal(dataset->info->class_names[9], "the last");
}

static void gives_the_published_mean_and_deviation(void **state) {
  const char *folder = *state;
  AUTO(dataset) ten = open_folder(cifar10, folder, "");
  AUTO(dataset) hundred = open_folder(cifar100, folder, ", labels: coarse");
  assert_memory_equal(ten->info->mean, ((const float[]){0.4914f, 0.4822f, 0.4465f}), 3 * sizeof(float));
  assert_memory_equal(ten->info->deviation, ((const float[]){0.2470f, 0.2435f, 0.2616f}), 3 * sizeof(float));
  assert_memory_equal(hundred->info->mean, ((const float[]){0.5071f, 0.4865f, 0.4409f}), 3 * sizeof(float));
  assert_memory_equal(hundred->info->deviation, ((const float[]){0.2673f, 0.2564f, 0.2762f}), 3 * sizeof(float));
}

static void reads_the_same_on_several_threads(void **state) {
  const char *folder = *state;
  AUTO(dataset) dataset = open_folder(cifar10, folder, "");
  assert_threads_agree(dataset, DVT_SUBSET_TRAIN);
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
  cifar10 = plugin_load(arguments[1], "cifar10");
  cifar100 = plugin_load(arguments[1], "cifar100");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(describes_itself),
      CIFAR_TEST(reads_all_files_of_cifar10_in_order),
      CIFAR_TEST(reads_fine_and_coarse_labels_of_cifar100),
      CIFAR_TEST(names_classes_without_a_names_file),
      CIFAR_TEST(names_classes_as_the_names_file_does),
      CIFAR_TEST(gives_the_published_mean_and_deviation),
      CIFAR_TEST(reads_the_same_on_several_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
