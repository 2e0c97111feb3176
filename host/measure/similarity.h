/* SPDX-License-Identifier: MIT */
/**
 * How the features of two extractors over the same images resemble each other. An example is one position of one image,
 * a variable is one channel. Features come batch by batch and are summed in double, image by image, so that results do
 * not depend on the batches, and memory does not on the number of images. docs/measures.md has the formulas.
 */
#ifndef MEASURE_SIMILARITY_H
#define MEASURE_SIMILARITY_H

#include "base/auto.h"
#include "base/error.h"

/** The features of one extractor: how those of the last batch deviate from their means. */
struct deviations {
  gint64 shape[3]; /**< C, H, W */
  guint positions; /**< H · W */
  guint blocks;    /**< of channels: products_add works block by block */
  guint count;     /**< images of the last batch */
  guint64 images;  /**< up to and with the last batch */
  double *mean;    /**< [C], over all images so far */
  double *rows;    /**< one matrix for each image; the sum of their products is that of all deviations */
};

/** capacity: the most images of a batch. The caller frees it. */
struct deviations *deviations_new(const gint64 shape[3], guint capacity, GError **error);
void deviations_free(struct deviations *deviations);
AUTO_DEFINE(deviations, deviations_free)

/** Takes up features [count, C, H, W] in place of those of the last batch. FALSE: one of them is not finite. */
gboolean deviations_take(struct deviations *deviations, const float *features, guint count);

/** The sums of products of deviations, of each channel of `a` with each of `b`, which are borrowed; may be the same. */
struct products {
  const struct deviations *a, *b; /**< of as many positions */
  double *sums; /**< [channels of a × channels of b], both padded to whole blocks; i <= j alone when a is b */
};

/** The caller frees it. */
struct products *products_new(const struct deviations *a, const struct deviations *b, GError **error);
void products_free(struct products *products);
AUTO_DEFINE(products, products_free)

/**
 * Adds the last batch of both, which are the same images, to one block of a's channels. Blocks may be added to at the
 * same time. Each is to be called once for each batch.
 */
void products_add(struct products *products, guint block);

/** Measures are NaN where they do not apply: no live channel; for correlations, another number of channels. */
struct similarity {
  double correlation;         /**< mean over channels alive in both, each with that of the same index */
  double matched_correlation; /**< mean over the pairs of the best one-to-one matching of live channels */
  double cka;                 /**< linear centred kernel alignment */
  gboolean symmetric;         /**< of b with a, the same was measured on the same images */
  GArray *dead[2];            /**< guint: channels of a and of b without variance; NULL: not measured */
};

/** Measures a with b, whose products with themselves and with each other these are; a similarity to be cleared. */
struct similarity similarity_measure(const struct products *aa, const struct products *bb, const struct products *ab);

/** Of a pair that cannot be compared. */
struct similarity similarity_none(void);

/** The same with a and b exchanged, as a copy. */
struct similarity similarity_reversed(const struct similarity *similarity);

void similarity_clear(struct similarity *similarity);

#endif
