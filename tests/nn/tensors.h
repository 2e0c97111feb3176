/* SPDX-License-Identifier: MIT */
/** Tensors in the layouts that our own loops know, beside the same numbers in double. What fails, fails the test. */
#ifndef TESTS_NN_TENSORS_H
#define TESTS_NN_TENSORS_H

#include <glib.h>

#include "kernels/kernels.h"

/** n images of c channels and h x w positions. */
struct sample {
  gint64 n, c, h, w;
  dnnl_format_tag_t tag;
  gint64 block; /* of the tag */
};

/** A tensor as numbers by [n][c][position], and as the kernels see it. */
struct tensor {
  const struct sample *sample;
  struct blocked layout;
  double *values;
  void *data;
};

/** How many numbers it has, without padding. */
gsize sample_size(const struct sample *s);

/** The channel of number k, by [n][c][position]. */
gsize sample_channel(const struct sample *s, gsize k);

/** Its layout, in bfloat16 or float32, as oneDNN describes it. */
dnnl_memory_desc_t sample_describe(const struct sample *s, gboolean half);

/** Parts of two images, the last of what is left. */
gint64 sample_parts(const struct sample *s);
struct images sample_part(const struct sample *s, gint64 k);

/** Noise of a name, with zeros where there are no channels; NULL: nothing that is a number. Keeps the sample. */
struct tensor tensor_new(const struct sample *s, gboolean half, const char *name);
void tensor_free(struct tensor *tensor);

/** Number k as the kernels left it. */
double tensor_read(const struct tensor *tensor, gsize k);

/** Sets number k, cut to a bfloat16 where the tensor is one. */
void tensor_write(struct tensor *tensor, gsize k, float value);

/** Relative to the length of what was expected; fails as well where padding is not zero. */
void tensor_assert_near(const struct tensor *tensor, const double *expected, const char *what);

/** Noise by channel, padded with zeros as the kernels want them. Freed with free(). */
float *tensor_by_channel(const struct tensor *tensor, const char *name);

float tensors_half_to_float(guint16 half);

#endif
