/* SPDX-License-Identifier: MIT */
/** The rasteriser: parts of drawings on a small picture of three channels. */
#ifndef SHAPES_CANVAS_H
#define SHAPES_CANVAS_H

#include "drawing.h"

enum { SIDE = 32, CHANNELS = 3 };

struct canvas {
  float pixels[CHANNELS][SIDE][SIDE]; /**< 0 .. 1 */
};

/** Where unit coordinates lie on the canvas: (x, y) is at (xx x + xy y + left, yx x + yy y + top), in pixels. */
struct placement {
  float xx, xy, left;
  float yx, yy, top;
};

/** Paints a part over what is there, with soft edges. opacity: 0 .. 1. */
void canvas_paint(struct canvas *canvas, const struct part *part, const struct placement *placement,
                  const float colour[CHANNELS], float opacity);

#endif
