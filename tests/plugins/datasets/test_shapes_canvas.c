/* SPDX-License-Identifier: MIT */
/* The rasteriser of shapes, and its drawings. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "canvas.h"

static const float white[CHANNELS] = {1, 1, 1};

/* Painted white on black: how many pixels the part covers. */
static double painted_area(const struct part *part, const struct placement *placement) {
  static struct canvas canvas;
  double area = 0;
  memset(&canvas, 0, sizeof canvas);
  canvas_paint(&canvas, part, placement, white, 1);
  for (int y = 0; y < SIDE; y++)
    for (int x = 0; x < SIDE; x++) {
      const double pixel = (double)canvas.pixels[0][y][x];
      assert_true(pixel >= 0 && pixel <= 1);
      area += pixel;
    }
  return area;
}

static void assert_area(const struct part *part, const struct placement *placement, double expected) {
  const double found = painted_area(part, placement);
  if (fabs(found - expected) > 0.02 * expected)
    fail_msg("form %d: %g pixels, not %g", (int)part->form, found, expected);
}

static void areas_are_right_however_a_part_lies(void **state) {
  (void)state;
  const struct part box = {BOX, MAIN, {-1, -0.5f, 1, 0.5f}}, ellipse = {ELLIPSE, MAIN, {-1, -0.5f, 1, 0.5f}};
  const struct part dome = {DOME, MAIN, {-1, -0.5f, 1, 0}}, triangle = {TRIANGLE, MAIN, {-1, 0.5f, 0, -0.5f, 1, 0.5f}};
  const struct part quad = {QUAD, MAIN, {-0.5f, -0.5f, 0.5f, -0.5f, 1, 0.5f, -1, 0.5f}};
  for (int mirror = -1; mirror <= 1; mirror += 2)
    for (int k = 0; k < 12; k++) {
      const float angle = 0.55f * (float)k, wide = 11 * (float)mirror, high = 9;
      const struct placement at = {wide * cosf(angle), -high * sinf(angle), 16.2f,
                                   wide * sinf(angle), high * cosf(angle),  15.7f};
      const double unit = 11.0 * 9.0;
      assert_area(&box, &at, 2 * unit);
      assert_area(&ellipse, &at, 0.5 * M_PI * unit);
      assert_area(&dome, &at, 0.25 * M_PI * unit);
      assert_area(&triangle, &at, unit);
      assert_area(&quad, &at, 1.5 * unit);
    }
}

static void what_lies_outside_is_left_out(void **state) {
  (void)state;
  const struct part box = {BOX, MAIN, {-1, -1, 1, 1}};
  const struct placement corner = {10, 0, 0, 0, 10, SIDE}, outside = {10, 0, -50, 0, 10, 90},
                         whole = {500, 0, 16, 0, 500, 16};
  assert_area(&box, &corner, 100);
  assert_true(painted_area(&box, &outside) == 0);
  assert_area(&box, &whole, SIDE * SIDE);
}

static void a_half_transparent_part_is_half_there(void **state) {
  (void)state;
  const struct part box = {BOX, MAIN, {-1, -1, 1, 1}};
  const struct placement whole = {50, 0, 16, 0, 50, 16};
  const float colour[CHANNELS] = {1, 0.5f, 0};
  struct canvas canvas;
  memset(&canvas, 0, sizeof canvas);
  canvas_paint(&canvas, &box, &whole, colour, 0.5f);
  assert_true(canvas.pixels[0][16][16] == 0.5f);
  assert_true(canvas.pixels[1][16][16] == 0.25f);
  assert_true(canvas.pixels[2][16][16] == 0);
}

/* Each colour of a drawing is a channel. */
static void paint_upright(struct canvas *canvas, const struct drawing *drawing) {
  const struct placement middle = {13, 0, 16, 0, 13, 16};
  memset(canvas, 0, sizeof *canvas);
  for (unsigned k = 0; k < drawing->part_count; k++) {
    float colour[CHANNELS] = {0};
    colour[drawing->parts[k].colour] = 1;
    canvas_paint(canvas, &drawing->parts[k], &middle, colour, 1);
  }
}

/* Mean difference of a picture and another one, turned by so many quarters. */
static double difference(const struct canvas *one, const struct canvas *other, int quarters) {
  double sum = 0;
  for (int c = 0; c < CHANNELS; c++)
    for (int y = 0; y < SIDE; y++)
      for (int x = 0; x < SIDE; x++) {
        const int last = SIDE - 1;
        const int turned[4][2] = {{y, x}, {x, last - y}, {last - y, last - x}, {last - x, y}};
        const int *from = turned[quarters];
        sum += fabs((double)(one->pixels[c][y][x] - other->pixels[c][from[0]][from[1]]));
      }
  return sum / (CHANNELS * SIDE * SIDE);
}

static void every_drawing_has_an_upright_orientation(void **state) {
  (void)state;
  struct canvas canvas;
  for (int label = 0; label < CLASS_COUNT; label++) {
    paint_upright(&canvas, &drawings[label]);
    for (int quarters = 1; quarters < 4; quarters++)
      if (difference(&canvas, &canvas, quarters) < 0.05) fail_msg("%s looks the same turned", drawings[label].name);
  }
}

static void every_drawing_differs_from_every_other(void **state) {
  (void)state;
  struct canvas one, other;
  for (int label = 0; label < CLASS_COUNT; label++)
    for (int second = 0; second < label; second++) {
      paint_upright(&one, &drawings[label]);
      paint_upright(&other, &drawings[second]);
      if (difference(&one, &other, 0) < 0.05) fail_msg("%s looks like %s", drawings[label].name, drawings[second].name);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(areas_are_right_however_a_part_lies),
      cmocka_unit_test(what_lies_outside_is_left_out),
      cmocka_unit_test(a_half_transparent_part_is_half_there),
      cmocka_unit_test(every_drawing_has_an_upright_orientation),
      cmocka_unit_test(every_drawing_differs_from_every_other),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
