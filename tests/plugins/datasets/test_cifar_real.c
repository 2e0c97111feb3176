/* SPDX-License-Identifier: MIT */
/* cifar10 on the folder that DOVETAIL_CIFAR10 names: a full copy, though its pixels may have been compressed once. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "opened.h"
#include "skip.h"

static struct dataset *dataset;

static void assert_balanced(enum dvt_subset subset, guint64 of_each) {
  guint8 image[3072];
  guint64 found[10] = {0};
  for (guint64 index = 0; index < dataset->info->count[subset]; index++) {
    guint32 label;
    assert_true(dataset_read(dataset, subset, index, image, &label, NULL));
    found[label]++;
  }
  for (guint label = 0; label < 10; label++) assert_int_equal(found[label], of_each);
}

static void holds_every_class_equally(void **state) {
  (void)state;
  assert_balanced(DVT_SUBSET_TRAIN, 5000);
  assert_balanced(DVT_SUBSET_TEST, 1000);
}

static void mean_and_deviation_are_those_of_the_images(void **state) {
  (void)state;
  for (guint channel = 0; channel < 3; channel++) {
    double mean, deviation;
    measure_channel(dataset, channel, &mean, &deviation);
    assert_true(fabs(mean - (double)dataset->info->mean[channel]) < 0.003);
    assert_true(fabs(deviation - (double)dataset->info->deviation[channel]) < 0.003);
  }
}

int main(int count, char **arguments) {
  const char *folder = g_getenv("DOVETAIL_CIFAR10");
  if (count != 2) return 2;
  if (!folder || !*folder) return skip_all("DOVETAIL_CIFAR10 names no folder");
  g_autofree char *params = g_strdup_printf("{path: \"%s\"}", folder);
  g_autoptr(GError) error = NULL;
  dataset = dataset_opened(plugin_load(arguments[1], "cifar10"), test_host(), params, &error);
  if (!dataset) g_error("%s", error->message);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(holds_every_class_equally),
      cmocka_unit_test(mean_and_deviation_are_those_of_the_images),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  dataset_free(dataset);
  return failed;
}
