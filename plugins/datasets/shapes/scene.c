/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include <math.h>
#include <string.h>

enum { MAX_CLUTTER = 3 };

/* Random words, used up one after another. */
struct draw {
  const uint32_t *next;
};

static float between(struct draw *draw, float least, float greatest) {
  const float share = (float)(*draw->next++ >> 8) * 0x1p-24f;
  return least + share * (greatest - least);
}

static int below(struct draw *draw, int n) { return (int)((uint64_t)*draw->next++ * (uint64_t)n >> 32); }

/* A colour from the darker half of the range (least = 0) to the brighter one (0.5). */
static void draw_colour(struct draw *draw, float least, float colour[CHANNELS]) {
  for (int c = 0; c < CHANNELS; c++) colour[c] = between(draw, least, least + 0.5f);
}

/* Where a colour is too near to another to be told apart, every channel moves by half of its range. */
static void keep_apart(float colour[CHANNELS], const float other[CHANNELS]) {
  const float least = 0.3f;
  for (int c = 0; c < CHANNELS; c++)
    if (fabsf(colour[c] - other[c]) >= least) return;
  for (int c = 0; c < CHANNELS; c++) colour[c] += colour[c] < 0.5f ? 0.5f : -0.5f;
}

/* scale: pixels to a unit; stretch: how much wider than high; tilt in radians; mirror: 1 or -1. */
static struct placement place(float scale, float stretch, float tilt, float mirror, float left, float top) {
  const float wide = scale * stretch, high = scale / stretch;
  return (struct placement){
      .xx = mirror * wide * cosf(tilt),
      .xy = -high * sinf(tilt),
      .left = left,
      .yx = mirror * wide * sinf(tilt),
      .yy = high * cosf(tilt),
      .top = top,
  };
}

/* A dark ground that shades from one colour to another in any direction. */
static void paint_ground(struct canvas *canvas, struct draw *draw) {
  float from[CHANNELS], to[CHANNELS];
  draw_colour(draw, 0, from);
  draw_colour(draw, 0, to);
  const float angle = between(draw, 0, 6.2831853f), reach = 1.0f / SIDE;
  const float along_x = reach * cosf(angle), along_y = reach * sinf(angle);
  for (int c = 0; c < CHANNELS; c++)
    for (int y = 0; y < SIDE; y++)
      for (int x = 0; x < SIDE; x++) {
        const float share = along_x * (float)(x - SIDE / 2) + along_y * (float)(y - SIDE / 2);
        canvas->pixels[c][y][x] = (from[c] + to[c]) / 2 + 0.7f * share * (to[c] - from[c]);
      }
}

/* A form of no meaning, anywhere; least and greatest: half its size in pixels. */
static void paint_blob(struct canvas *canvas, struct draw *draw, float least, float greatest) {
  static const struct part blobs[] = {
      {BOX, MAIN, {-1, -1, 1, 1}},
      {ELLIPSE, MAIN, {-1, -1, 1, 1}},
      {TRIANGLE, MAIN, {-1, 1, 0, -1, 1, 1}},
  };
  const struct part *blob = &blobs[below(draw, 3)];
  const float scale = between(draw, least, greatest), stretch = between(draw, 0.6f, 1.6f);
  const float tilt = between(draw, 0, 6.2831853f), left = between(draw, 0, SIDE), top = between(draw, 0, SIDE);
  const struct placement placement = place(scale, stretch, tilt, 1, left, top);
  float colour[CHANNELS];
  draw_colour(draw, 0.25f, colour);
  canvas_paint(canvas, blob, &placement, colour, between(draw, 0.7f, 1));
}

static void paint_object(struct canvas *canvas, struct draw *draw, const struct drawing *drawing) {
  float colours[COLOUR_COUNT][CHANNELS];
  for (int k = 0; k < COLOUR_COUNT; k++) draw_colour(draw, 0.5f, colours[k]);
  keep_apart(colours[DETAIL], colours[MAIN]);
  const float scale = between(draw, 8.5f, 13), stretch = between(draw, 0.85f, 1.18f);
  const float tilt = between(draw, -0.25f, 0.25f), mirror = below(draw, 2) ? 1 : -1;
  const float left = between(draw, 11, 21), top = between(draw, 11, 21);
  const struct placement placement = place(scale, stretch, tilt, mirror, left, top);
  for (unsigned k = 0; k < drawing->part_count; k++)
    canvas_paint(canvas, &drawing->parts[k], &placement, colours[drawing->parts[k].colour], 1);
}

/* Light and grain; four bytes of noise in a word. */
static void expose(const struct canvas *canvas, struct draw *draw, const uint32_t *noise, uint8_t *image) {
  const float light = between(draw, 0.6f, 1.1f), grain = between(draw, 0, 60);
  const float *pixels = &canvas->pixels[0][0][0];
  for (int k = 0; k < IMAGE_SIZE; k++) {
    const float share = (float)(noise[k / 4] >> 8 * (k % 4) & 255) / 255 - 0.5f;
    const float value = 255 * light * pixels[k] + grain * share + 0.5f;
    image[k] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
  }
}

/* Objects brighter than the ground are learnt within a few epochs; a blob before them, which hides some of them almost
 * wholly, keeps any network from being always right. */
void scene_draw(const uint32_t words[SCENE_WORDS], uint32_t label, uint8_t *image) {
  struct draw draw = {words};
  struct canvas canvas;
  paint_ground(&canvas, &draw);
  const int clutter = below(&draw, MAX_CLUTTER + 1);
  for (int k = 0; k < clutter; k++) paint_blob(&canvas, &draw, 1.5f, 5);
  paint_object(&canvas, &draw, &drawings[label]);
  if (below(&draw, 3)) paint_blob(&canvas, &draw, 5, 10);
  expose(&canvas, &draw, words + DRAW_WORDS, image);
}
