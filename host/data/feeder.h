/* SPDX-License-Identifier: MIT */
/**
 * Feeds a network its training batches: shuffled anew each epoch, augmented, normalised, prepared ahead by a thread of
 * its own. Batches are always full: what is left over at an epoch's end is left out of that epoch. What batch `step`
 * holds depends on seed, stream and step alone.
 */
#ifndef DATA_FEEDER_H
#define DATA_FEEDER_H

#include "data/task.h"

struct feeder_config {
  guint batch;
  guint pad;     /**< augmentation: the crop moves by at most so many pixels each way */
  gboolean flip; /**< augmentation: half of the images are mirrored */
  guint64 seed;
  gboolean still;     /**< the first batch again and again, prepared once: to measure training without its data */
  const char *stream; /**< feeders of one stream and one task give the same batches */
};

/** A batch. Belongs to the feeder, until the next feeder_next. */
struct feed {
  float *images;  /**< [batch, C, H, W] */
  gint32 *labels; /**< [batch] */
};

struct feeder;

/** Batches in an epoch; at least 1 is needed for a feeder. */
guint64 feeder_epoch_steps(const struct task *task, guint batch);

/** Starts with the batch of `first_step`. task must outlive it; config is copied. The caller frees it. */
struct feeder *feeder_new(const struct task *task, const struct feeder_config *config, guint64 first_step,
                          GError **error);
void feeder_free(struct feeder *feeder);
AUTO_DEFINE(feeder, feeder_free)

/** The next batch; waits for it. NULL with an error when an example could not be read. One thread at a time. */
const struct feed *feeder_next(struct feeder *feeder, GError **error);

/** Seconds that its thread has worked on the batches made so far. Any thread. */
double feeder_seconds(struct feeder *feeder);

#endif
