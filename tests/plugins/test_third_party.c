/* SPDX-License-Identifier: MIT */
/*
 * Weights that someone else trained (third-party-resnet20.LICENSE), on the test images of CIFAR-10 in the folder
 * DOVETAIL_CIFAR10: their names, shapes and meaning must be ours.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "golden.h"
#include "pair.h"
#include "skip.h"

enum { RECORD = 1 + GOLDEN_IMAGE, IMAGES = 10000, CLASSES = 10, BATCH = 125, COMPARED = 64 };

static struct safetensors *weights, *expected;
static char *records; /* [IMAGES, RECORD] */

static void read_three(const char *key, double out[3]) {
  g_auto(GStrv) numbers = g_strsplit(golden_metadata(weights, key), ",", -1);
  assert_int_equal(g_strv_length(numbers), 3);
  for (guint k = 0; k < 3; k++) out[k] = g_ascii_strtod(numbers[k], NULL);
}

struct scale {
  double mean[3], deviation[3];
};

static void normalise(const struct scale *scale, const char *record, float *image) {
  for (guint k = 0; k < GOLDEN_IMAGE; k++) {
    const guint channel = k / (32 * 32);
    image[k] = (float)(((guint8)record[1 + k] / 255.0 - scale->mean[channel]) / scale->deviation[channel]);
  }
}

static void compare(const float *logits) {
  const struct safetensor *tensor = golden_tensor(expected, "logits_first64", "");
  for (guint k = 0; k < COMPARED * CLASSES; k++) {
    float other;
    memcpy(&other, (const char *)tensor->data + k * sizeof other, sizeof other);
    if (!(fabsf(logits[k] - other) <= 1e-3f)) fail_msg("logit %u: %g, expected %g", k, logits[k], other);
  }
}

static guint largest(const float *logits) {
  guint best = 0;
  for (guint k = 1; k < CLASSES; k++)
    if (logits[k] > logits[best]) best = k;
  return best;
}

static void weights_of_another_hand_work(void **state) {
  (void)state;
  const struct pair_config config = {
      .depth = 20, .width = 16, .shortcut = "identity", .split = "layer2", .head = "resnet-tail"};
  AUTO(pair) pair = pair_new(&config);
  float *images = memory_floats(BATCH * GOLDEN_IMAGE, NULL);
  guint right = 0;
  struct scale scale;
  read_three("mean", scale.mean);
  read_three("std", scale.deviation);
  golden_load(weights, "module.", pair->extractor);
  golden_load(weights, "module.", pair->head);
  pair_make_passes(pair, 0, BATCH, 2);
  for (guint first = 0; first < IMAGES; first += BATCH) {
    for (guint k = 0; k < BATCH; k++)
      normalise(&scale, records + (gsize)(first + k) * RECORD, images + k * GOLDEN_IMAGE);
    pair_forward(pair, BATCH, images);
    if (first == 0) compare(pair->logits);
    for (guint k = 0; k < BATCH; k++)
      right += largest(pair->logits + k * CLASSES) == (guint8)records[(gsize)(first + k) * RECORD];
  }
  free(images);
  assert_in_range(right, 8100, 8106);
}

static gboolean read_files(void) {
  const char *folder = g_getenv("DOVETAIL_CIFAR10");
  g_autofree char *path = g_build_filename(folder ? folder : "", "test_batch.bin", NULL);
  gsize size = 0;
  weights = golden_read("third-party-resnet20.safetensors");
  expected = golden_read("third-party-resnet20-expected.safetensors");
  return weights && expected && g_file_get_contents(path, &records, &size, NULL) && size == IMAGES * RECORD;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(weights_of_another_hand_work)};
  if (!g_getenv("DOVETAIL_CIFAR10")) return skip_all("DOVETAIL_CIFAR10 does not name CIFAR-10's folder");
  if (!read_files()) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  safetensors_free(weights);
  safetensors_free(expected);
  g_free(records);
  return failed;
}
