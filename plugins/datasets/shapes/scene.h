/* SPDX-License-Identifier: MIT */
/** One image: an object on a cluttered ground, all that varies drawn from random words. */
#ifndef SHAPES_SCENE_H
#define SHAPES_SCENE_H

#include <stdint.h>

#include "canvas.h"

enum {
  IMAGE_SIZE = CHANNELS * SIDE * SIDE,
  DRAW_WORDS = 128, /**< more than a scene ever uses up */
  SCENE_WORDS = DRAW_WORDS + IMAGE_SIZE / 4
};

/** image: u8 [3, 32, 32]. The same words and label give the same bytes. */
void scene_draw(const uint32_t words[SCENE_WORDS], uint32_t label, uint8_t *image);

#endif
