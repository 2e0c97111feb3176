/* SPDX-License-Identifier: MIT */
/* cifar10 and cifar100 on files that are missing or damaged: an error that names file and record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cifar_files.h"
#include "opened.h"

static const struct dvt_plugin *cifar10, *cifar100;

static char *params_of(const char *folder) { return g_strdup_printf("{path: %s}", folder); }

static void refuses_a_missing_folder(void **state) {
  const char *folder = *state;
  g_autofree char *missing = cifar_path(folder, "nowhere"), *file = cifar_path(folder, "test_batch.bin");
  g_autofree char *params_missing = params_of(missing), *params_file = params_of(file);
  ASSERT_REFUSED(cifar10, params_missing, missing, "cannot be found", "data_batch_1.bin", "docs/data.md");
  ASSERT_REFUSED(cifar100, params_missing, missing, "cannot be found", "train.bin", "docs/data.md");
  ASSERT_REFUSED(cifar10, params_file, file, "is no folder");
  ASSERT_REFUSED(cifar10, "{}", "path");
}

static void names_each_missing_file(void **state) {
  const char *folder = *state;
  const char *const files[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                               "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
  for (guint k = 0; k < G_N_ELEMENTS(files); k++) {
    g_autofree char *params = params_of(folder), *path = cifar_path(folder, files[k]);
    cifar_remove(folder, files[k]);
    ASSERT_REFUSED(cifar10, params, path, "No such file", "docs/data.md");
    cifar10_write(folder);
  }
}

static void refuses_part_of_a_record(void **state) {
  const char *folder = *state;
  g_autofree char *params = params_of(folder), *path = cifar_path(folder, "data_batch_3.bin");
  assert_int_equal(truncate(path, 3073 + 5), 0);
  ASSERT_REFUSED(cifar10, params, path, "record 1 has 5 bytes", "3073");
  assert_int_equal(truncate(path, 3072), 0);
  ASSERT_REFUSED(cifar10, params, path, "record 0 has 3072 bytes");
  assert_int_equal(truncate(path, 0), 0);
  ASSERT_REFUSED(cifar10, params, path, "holds no record");
}

static void refuses_a_label_out_of_range(void **state) {
  const char *folder = *state;
  g_autofree char *params = params_of(folder);
  cifar_write(folder, "test_batch.bin", 1, (const guint8[]){9, 0, 10}, 3);
  ASSERT_REFUSED(cifar10, params, "test_batch.bin: record 2 has label 10", "below 10");
  cifar_write(folder, "train.bin", 2, (const guint8[]){19, 99, 0, 100}, 2);
  ASSERT_REFUSED(cifar100, params, "train.bin: record 1 has label 100", "below 100");
  cifar_write(folder, "train.bin", 2, (const guint8[]){20, 99}, 1);
  ASSERT_REFUSED(cifar100, params, "train.bin: record 0 has label 20", "below 20");
}

static void refuses_what_is_no_file(void **state) {
  const char *folder = *state;
  g_autofree char *params = params_of(folder), *path = cifar_path(folder, "data_batch_2.bin");
  cifar_remove(folder, "data_batch_2.bin");
  assert_int_equal(mkdir(path, 0700), 0);
  ASSERT_REFUSED(cifar10, params, path, "is not a regular file");
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(mkfifo(path, 0600), 0);
  ASSERT_REFUSED(cifar10, params, path, "is not a regular file");
}

static void refuses_names_in_what_is_no_file(void **state) {
  const char *folder = *state;
  g_autofree char *params = params_of(folder), *path = cifar_path(folder, "batches.meta.txt");
  assert_int_equal(mkfifo(path, 0600), 0);
  ASSERT_REFUSED(cifar10, params, path, "is not a regular file");
}

static void refuses_a_wrong_names_file(void **state) {
  const char *folder = *state;
  g_autofree char *params = params_of(folder), *huge = g_strnfill(1 << 20, 'x');
  cifar_replace(folder, "batches.meta.txt", "a\nb\nc\n", -1);
  ASSERT_REFUSED(cifar10, params, "batches.meta.txt: 3 class names", "10 classes");
  cifar_replace(folder, "batches.meta.txt", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", -1);
  ASSERT_REFUSED(cifar10, params, "batches.meta.txt: 11 class names");
  cifar_replace(folder, "batches.meta.txt", "0\n1\n2\n3\n4\n5\n6\n1\n8\n9\n", -1);
  ASSERT_REFUSED(cifar10, params, "batches.meta.txt: classes 1 and 7 are both named '1'");
  cifar_replace(folder, "batches.meta.txt", "0\n1\n2\n3\n\xff\n5\n6\n7\n8\n9\n", -1);
  ASSERT_REFUSED(cifar10, params, "batches.meta.txt: the name of class 4 is no printable ASCII");
  cifar_replace(folder, "batches.meta.txt", huge, 1 << 20);
  ASSERT_REFUSED(cifar10, params, "batches.meta.txt: 1 class names");
  cifar_replace(folder, "batches.meta.txt", "", 0);
  ASSERT_REFUSED(cifar10, params, "batches.meta.txt: 0 class names");
}

static void survives_a_file_cut_short_while_in_use(void **state) {
  const char *folder = *state;
  g_autofree char *params = params_of(folder), *path = cifar_path(folder, "data_batch_1.bin");
  g_autoptr(GError) error = NULL;
  guint8 image[CIFAR_TEST_IMAGE];
  guint32 label;
  AUTO(dataset) dataset = dataset_opened(cifar10, test_host(), params, &error);
  assert_non_null(dataset);
  assert_int_equal(truncate(path, 3073 + 100), 0);
  assert_true(dataset_read(dataset, DVT_SUBSET_TRAIN, 0, image, &label, &error));
  assert_false(dataset_read(dataset, DVT_SUBSET_TRAIN, 1, image, &label, &error));
  assert_non_null(strstr(error->message, path));
  assert_non_null(strstr(error->message, "record 1"));
}

static void refuses_wrong_parameters(void **state) {
  (void)state;
  ASSERT_REFUSED(cifar100, "{path: x, labels: medium}", "test.yaml:1:", "fine");
  ASSERT_REFUSED(cifar10, "{path: x, labels: fine}", "test.yaml:1:", "labels");
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
  cifar10 = plugin_load(arguments[1], "cifar10");
  cifar100 = plugin_load(arguments[1], "cifar100");
  const struct CMUnitTest tests[] = {
      CIFAR_TEST(refuses_a_missing_folder),       CIFAR_TEST(names_each_missing_file),
      CIFAR_TEST(refuses_part_of_a_record),       CIFAR_TEST(refuses_a_label_out_of_range),
      CIFAR_TEST(refuses_what_is_no_file),        CIFAR_TEST(refuses_names_in_what_is_no_file),
      CIFAR_TEST(refuses_a_wrong_names_file),     CIFAR_TEST(survives_a_file_cut_short_while_in_use),
      cmocka_unit_test(refuses_wrong_parameters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
