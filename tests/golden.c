/* SPDX-License-Identifier: MIT */
#include "golden.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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

void golden_load(const struct safetensors *golden, const char *prefix, struct module *module) {
  for (guint k = 0; k < module->weight_count; k++) {
    const struct safetensor *tensor = golden_tensor(golden, prefix, module->weights[k]->name);
    assert_int_equal(tensor->size, module_weight_elements(module, k) * sizeof(float));
    memcpy(module_value(module, k), tensor->data, tensor->size);
  }
  module_changed(module);
}

void golden_batch(const struct safetensors *golden, const char *prefix, float *images, gint32 *labels) {
  static const float mean[] = {0.4914f, 0.4822f, 0.4465f}, deviation[] = {0.2470f, 0.2435f, 0.2616f};
  const guint8 *pixels = golden_tensor(golden, prefix, "images")->data;
  const struct safetensor *tensor = golden_tensor(golden, prefix, "labels");
  const guint count = (guint)tensor->shape[0];
  for (guint k = 0; k < count * GOLDEN_IMAGE; k++) {
    const guint channel = k / (32 * 32) % 3;
    images[k] = (pixels[k] / 255.0f - mean[channel]) / deviation[channel];
  }
  for (guint k = 0; k < count; k++) {
    gint64 label;
    memcpy(&label, (const char *)tensor->data + k * sizeof label, sizeof label);
    labels[k] = (gint32)label;
  }
}

double golden_error(const struct safetensor *expected, const float *values) {
  double difference = 0.0, norm = 0.0;
  for (gsize k = 0; k < expected->size / sizeof(float); k++) {
    float value;
    memcpy(&value, (const char *)expected->data + k * sizeof value, sizeof value);
    difference += pow((double)values[k] - value, 2);
    norm += pow(value, 2);
  }
  return sqrt(difference / norm);
}

double golden_tolerance(const struct safetensors *golden) {
  return MAX(1e-4, 5 * g_ascii_strtod(golden_metadata(golden, "float32_error"), NULL));
}
