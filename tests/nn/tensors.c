/* SPDX-License-Identifier: MIT */
#include "tensors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "rig.h"

gsize sample_size(const struct sample *s) { return (gsize)(s->n * s->c * s->h * s->w); }

static gsize padded_channels(const struct sample *s) { return (gsize)((s->c + s->block - 1) / s->block * s->block); }

static gsize place(const struct sample *s, gsize k) {
  const gsize positions = (gsize)(s->h * s->w), n = k / positions / (gsize)s->c, c = k / positions % (gsize)s->c;
  const gsize block = (gsize)s->block, blocks = padded_channels(s) / block;
  return ((n * blocks + c / block) * positions + k % positions) * block + c % block;
}

float tensors_half_to_float(guint16 half) {
  const guint32 bits = (guint32)half << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

double tensor_read(const struct tensor *tensor, gsize k) {
  const gsize at = place(tensor->sample, k);
  return tensor->layout.half ? tensors_half_to_float(((guint16 *)tensor->data)[at]) : ((float *)tensor->data)[at];
}

/* The float32 that round to a bfloat16 evenly stay as they are: noise is cut to 8 bits first. */
void tensor_write(struct tensor *tensor, gsize k, float value) {
  const gsize at = place(tensor->sample, k);
  guint32 bits;
  memcpy(&bits, &value, sizeof bits);
  if (tensor->layout.half)
    ((guint16 *)tensor->data)[at] = (guint16)(bits >> 16);
  else
    ((float *)tensor->data)[at] = value;
  tensor->values[k] = tensor_read(tensor, k);
}

dnnl_memory_desc_t sample_describe(const struct sample *s, gboolean half) {
  const dnnl_dims_t dims = {s->n, s->c, s->h, s->w};
  dnnl_memory_desc_t md;
  assert_int_equal(dnnl_memory_desc_init_by_tag(&md, 4, dims, half ? dnnl_bf16 : dnnl_f32, s->tag), dnnl_success);
  return md;
}

static gsize size_of(const struct sample *s) { return padded_channels(s) * (gsize)(s->n * s->h * s->w); }

struct tensor tensor_new(const struct sample *s, gboolean half, const char *name) {
  struct tensor tensor = {.sample = s, .values = g_new0(double, sample_size(s))};
  const dnnl_memory_desc_t md = sample_describe(s, half);
  assert_true(blocked_init(&tensor.layout, &md));
  tensor.data = memory_floats(size_of(s), NULL);
  if (!name) memset(tensor.data, 0xff, size_of(s) * (half ? sizeof(guint16) : sizeof(float)));
  float *noise = name ? rig_noise(sample_size(s), 5, name) : NULL;
  for (gsize k = 0; noise && k < sample_size(s); k++) tensor_write(&tensor, k, noise[k]);
  free(noise);
  return tensor;
}

void tensor_free(struct tensor *tensor) {
  g_free(tensor->values);
  free(tensor->data);
}

/* oneDNN wants zeros where a block has room for channels that are not there. */
static void assert_padded(const struct tensor *tensor) {
  const gsize size = size_of(tensor->sample);
  g_autofree guint8 *is_number = g_new0(guint8, size);
  for (gsize k = 0; k < sample_size(tensor->sample); k++) is_number[place(tensor->sample, k)] = 1;
  for (gsize k = 0; k < size; k++) {
    if (is_number[k]) continue;
    if (tensor->layout.half)
      assert_int_equal(((guint16 *)tensor->data)[k], 0);
    else
      assert_true(((float *)tensor->data)[k] == 0.0f);
  }
}

/* Winograd multiplies by up to 64 and takes differences. */
void tensor_assert_near(const struct tensor *tensor, const double *expected, const char *what) {
  double distance = 0, length = 0;
  assert_padded(tensor);
  for (gsize k = 0; k < sample_size(tensor->sample); k++) {
    distance += pow(tensor_read(tensor, k) - expected[k], 2);
    length += pow(expected[k], 2);
  }
  if (!(sqrt(distance) <= (tensor->layout.half ? 4e-3 : 5e-6) * sqrt(length)))
    fail_msg("%s: %d channels of %dx%d, %s: off by %g", what, (int)tensor->sample->c, (int)tensor->sample->h,
             (int)tensor->sample->w, tensor->layout.half ? "bfloat16" : "float32", sqrt(distance / length));
}

gint64 sample_parts(const struct sample *s) { return (s->n + 1) / 2; }

struct images sample_part(const struct sample *s, gint64 k) {
  return (struct images){2 * k, MIN(s->n, 2 * (k + 1))};
}

float *tensor_by_channel(const struct tensor *tensor, const char *name) {
  float *numbers = memory_floats((gsize)tensor->layout.padded, NULL);
  float *noise = rig_noise((gsize)tensor->sample->c, 6, name);
  memcpy(numbers, noise, (gsize)tensor->sample->c * sizeof *numbers);
  free(noise);
  return numbers;
}

gsize sample_channel(const struct sample *s, gsize k) { return k / (gsize)(s->h * s->w) % (gsize)s->c; }
