/* SPDX-License-Identifier: MIT */
#include "golden.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/random.h"

enum { THROWS = 40, FEW_THROWS = 4 };

struct safetensors *golden_read(const char *name) {
  static const char *const folders[] = {"GOLDEN_FIXTURES", "DOVETAIL_GOLDEN", "GOLDEN_SHARED"};
  for (guint k = 0; k < G_N_ELEMENTS(folders); k++) {
    const char *folder = g_getenv(folders[k]);
    g_autofree char *path = g_build_filename(folder ? folder : "", name, NULL);
    if (!folder || !g_file_test(path, G_FILE_TEST_IS_REGULAR)) continue;
    GError *error = NULL;
    struct safetensors *golden = safetensors_read(path, &error);
    if (!golden) g_error("%s", error->message);
    return golden;
  }
  return NULL;
}

const char *golden_metadata(const struct safetensors *golden, const char *key) {
  const char *text = g_hash_table_lookup(golden->metadata, key);
  if (!text) fail_msg("%s has no metadata '%s'", golden->path, key);
  return text;
}

const struct safetensor *golden_tensor(const struct safetensors *golden, const char *prefix, const char *name) {
  g_autofree char *key = g_strconcat(prefix, name, NULL);
  const struct safetensor *tensor = safetensors_find(golden, key);
  if (!tensor) fail_msg("%s has no tensor %s", golden->path, key);
  return tensor;
}

static float float_at(const void *floats, gsize k) {
  float value;
  memcpy(&value, (const char *)floats + k * sizeof value, sizeof value);
  return value;
}

void golden_add(const struct safetensors *golden, const char *prefix, const char *name, double weight, float *sum) {
  const struct safetensor *tensor = golden_tensor(golden, prefix, name);
  for (gsize k = 0; k < tensor->size / sizeof(float); k++) sum[k] += (float)(weight * float_at(tensor->data, k));
}

void golden_load(const struct safetensors *golden, const char *prefix, struct module *module) {
  for (guint k = 0; k < module->weight_count; k++) {
    const struct safetensor *tensor = golden_tensor(golden, prefix, module->weights[k]->name);
    assert_int_equal(tensor->size, module_weight_elements(module, k) * sizeof(float));
    memcpy(module_value(module, k), tensor->data, tensor->size);
  }
  module_changed(module);
}

/* The last bit of each number. */
static void nudge(guint attempt, float *images, guint count) {
  g_autofree guint32 *words = g_new(guint32, count);
  random_words(random_stream(1, "nudge"), 0, attempt, words, count);
  for (guint k = 0; k < count; k++) images[k] *= 1.0f + FLT_EPSILON * ((float)random_below(words[k], 3) - 1.0f);
}

void golden_batch(const struct safetensors *golden, const char *prefix, guint attempt, float *images, gint32 *labels) {
  static const float mean[] = {0.4914f, 0.4822f, 0.4465f}, deviation[] = {0.2470f, 0.2435f, 0.2616f};
  const guint8 *pixels = golden_tensor(golden, prefix, "images")->data;
  const struct safetensor *tensor = golden_tensor(golden, prefix, "labels");
  const guint count = (guint)tensor->shape[0];
  for (guint k = 0; k < count * GOLDEN_IMAGE; k++) {
    const guint channel = k / (32 * 32) % 3;
    images[k] = (pixels[k] / 255.0f - mean[channel]) / deviation[channel];
  }
  if (attempt) nudge(attempt, images, count * GOLDEN_IMAGE);
  for (guint k = 0; k < count; k++) {
    gint64 label;
    memcpy(&label, (const char *)tensor->data + k * sizeof label, sizeof label);
    labels[k] = (gint32)label;
  }
}

/* Of a step: the tensor, or loss, that disagrees most, in multiples of the tolerance. */
static struct {
  guint compared;
  double excess;
  char *text;
} worst;

static void forget(void) {
  g_clear_pointer(&worst.text, g_free);
  worst.compared = 0;
  worst.excess = 0.0;
}

static void judge(const struct safetensors *golden, const char *name, double error) {
  const double tolerance = MAX(1e-4, 5 * g_ascii_strtod(golden_metadata(golden, "float32_error"), NULL));
  worst.compared++;
  if (isnan(worst.excess) || error / tolerance <= worst.excess) return; /* no number is the worst of errors */
  worst.excess = error / tolerance;
  g_free(worst.text);
  worst.text = g_strdup_printf("%s: relative error %g, at most %g", name, error, tolerance);
}

/* The expected values are floats at any address. */
static double relative_error(const void *expected, const float *values, gsize count) {
  double difference = 0.0, norm = 0.0;
  for (gsize k = 0; k < count; k++) {
    const double value = float_at(expected, k);
    difference += pow(values[k] - value, 2);
    norm += pow(value, 2);
  }
  return sqrt(difference / norm);
}

void golden_compare(const struct safetensors *golden, const char *prefix, const char *name, const float *values) {
  const struct safetensor *tensor = golden_tensor(golden, prefix, name);
  judge(golden, tensor->name, relative_error(tensor->data, values, tensor->size / sizeof(float)));
}

void golden_compare_with(const struct safetensors *golden, const char *name, const float *values, const float *expected,
                         gsize count) {
  judge(golden, name, relative_error(expected, values, count));
}

void golden_compare_loss(const struct safetensors *golden, const char *name, double loss, double expected) {
  judge(golden, name, fabs(loss - expected) / expected);
}

gboolean golden_is_small(const struct safetensors *golden) { return !strcmp(golden_metadata(golden, "depth"), "8"); }

void golden_check(const struct safetensors *golden, void (*step)(void *data, guint attempt), void *data) {
  const guint most = golden_is_small(golden) ? FEW_THROWS : THROWS;
  forget();
  step(data, 0);
  for (guint attempt = 1; attempt < most && !(worst.excess <= 1.0); attempt++) {
    print_message("# throw %u: %s\n", attempt, worst.text);
    forget();
    step(data, attempt);
  }
  g_autofree char *text = g_steal_pointer(&worst.text);
  assert_true(worst.compared > 0);
  if (!(worst.excess <= 1.0)) fail_msg("%s", text);
}
