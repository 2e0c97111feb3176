/* SPDX-License-Identifier: MIT */
/** Augmentation and normalisation of one image. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include "data/task.h"

/** What is done to one image. */
struct augmentation {
  gint dx, dy;   /**< the crop's offset to the right and down, in pixels; what lies outside is the mean colour */
  gboolean flip; /**< left and right change places, before the crop */
};

/** Draws an augmentation from three random words: offsets in -pad .. pad, a flip half of the time when `flip`. */
struct augmentation augmentation_draw(const guint32 words[3], guint pad, gboolean flip);

/** out [C, H, W]: the image u8 [C, H, W] augmented and normalised. */
void augment_image(const struct task *task, const guint8 *image, const struct augmentation *augmentation, float *out);

#endif
