/* SPDX-License-Identifier: MIT */
#include "data/augment.h"

#include "plugin/random.h"

struct augmentation augmentation_draw(const guint32 words[3], guint pad, gboolean flip) {
  const gint reach = (gint)pad;
  return (struct augmentation){
      .dx = (gint)random_below(words[0], 2 * pad + 1) - reach,
      .dy = (gint)random_below(words[1], 2 * pad + 1) - reach,
      .flip = flip && (words[2] & 1),
  };
}

/* One row of the result from one of the image, NULL where the crop lies outside it. Zero is the mean colour. */
static void augment_row(const guint8 *row, gint width, const struct augmentation *a, float scale, float shift,
                        float *out) {
  for (gint x = 0; x < width; x++) {
    const gint from = x + a->dx;
    const gboolean inside = row && from >= 0 && from < width;
    out[x] = inside ? scale * row[a->flip ? width - 1 - from : from] + shift : 0.0f;
  }
}

void augment_image(const struct task *task, const guint8 *image, const struct augmentation *augmentation, float *out) {
  const gint64 *shape = task->dataset->info->image;
  const gint height = (gint)shape[1], width = (gint)shape[2];
  for (gint64 c = 0; c < shape[0]; c++)
    for (gint y = 0; y < height; y++) {
      const gint from = y + augmentation->dy;
      const guint8 *row = from >= 0 && from < height ? image + (c * height + from) * width : NULL;
      augment_row(row, width, augmentation, task->scale[c], task->shift[c], out + (c * height + y) * width);
    }
}
