/* SPDX-License-Identifier: MIT */
#include "canvas.h"

#include <math.h>
#include <string.h>

enum { MAX_CORNERS = 4 };

/* A part on the canvas: where its outline's lines, and its ellipse if it has one, all are at least 0. */
struct region {
  int corner_count;
  float corners[MAX_CORNERS][2];
  float lines[MAX_CORNERS][3]; /* a x + b y + c: pixels inside the line */
  int round;
  float ellipse[2][3]; /* rows that take a pixel to where the ellipse is the unit circle */
};

static void find_corners(struct region *region, const struct part *part, const struct placement *at) {
  const float *p = part->points;
  const float box[] = {p[0], p[1], p[2], p[1], p[2], p[3], p[0], p[3]};
  const int listed = part->form == TRIANGLE || part->form == QUAD;
  const float *points = listed ? p : box;
  region->corner_count = part->form == TRIANGLE ? 3 : 4;
  for (int k = 0; k < region->corner_count; k++) {
    const float x = points[2 * k], y = points[2 * k + 1];
    region->corners[k][0] = at->xx * x + at->xy * y + at->left;
    region->corners[k][1] = at->yx * x + at->yy * y + at->top;
  }
}

static void find_lines(struct region *region) {
  const int count = region->corner_count;
  for (int k = 0; k < count; k++) {
    const float *from = region->corners[k], *to = region->corners[(k + 1) % count];
    const float *other = region->corners[(k + 2) % count];
    float a = from[1] - to[1], b = to[0] - from[0];
    float length = sqrtf(a * a + b * b);
    if (a * (other[0] - from[0]) + b * (other[1] - from[1]) < 0) length = -length;
    a /= length;
    b /= length;
    const float line[] = {a, b, -a * from[0] - b * from[1]};
    memcpy(region->lines[k], line, sizeof line);
  }
}

static void find_ellipse(struct region *region, const struct part *part, const struct placement *at) {
  const float *p = part->points;
  const float bottom = part->form == DOME ? 2 * p[3] - p[1] : p[3]; /* of the whole ellipse */
  const float centre[2] = {(p[0] + p[2]) / 2, (p[1] + bottom) / 2};
  const float radius[2] = {(p[2] - p[0]) / 2, (bottom - p[1]) / 2};
  const float determinant = at->xx * at->yy - at->xy * at->yx;
  const float inverse[2][2] = {{at->yy / determinant, -at->xy / determinant},
                               {-at->yx / determinant, at->xx / determinant}};
  region->round = part->form == ELLIPSE || part->form == DOME;
  for (int k = 0; k < 2; k++) {
    const float a = inverse[k][0], b = inverse[k][1];
    const float row[] = {a / radius[k], b / radius[k], (-a * at->left - b * at->top - centre[k]) / radius[k]};
    memcpy(region->ellipse[k], row, sizeof row);
  }
}

/* Pixels from a point to the ellipse, positive inside: exact on it, which is where it counts. */
static float ellipse_inside(const float ellipse[2][3], float x, float y) {
  const float u = ellipse[0][0] * x + ellipse[0][1] * y + ellipse[0][2];
  const float v = ellipse[1][0] * x + ellipse[1][1] * y + ellipse[1][2];
  const float slope_x = ellipse[0][0] * u + ellipse[1][0] * v;
  const float slope_y = ellipse[0][1] * u + ellipse[1][1] * v;
  return (1 - u * u - v * v) / (2 * sqrtf(slope_x * slope_x + slope_y * slope_y) + 1e-6f);
}

static float lesser(float a, float b) { return a < b ? a : b; } /* fminf is a call: it minds NaN */

/* The share of the pixel round (x, y) that the region covers. */
static float coverage(const struct region *region, float x, float y) {
  float inside = 0.5f;
  for (int k = 0; k < region->corner_count; k++) {
    const float *line = region->lines[k];
    inside = lesser(inside, line[0] * x + line[1] * y + line[2]);
  }
  if (region->round) inside = lesser(inside, ellipse_inside(region->ellipse, x, y));
  return inside > -0.5f ? inside + 0.5f : 0;
}

/* The pixels along one axis that the region may touch: [range[0], range[1]). */
static void find_range(const struct region *region, int axis, int range[2]) {
  float least = SIDE, greatest = 0;
  for (int k = 0; k < region->corner_count; k++) {
    least = fminf(least, region->corners[k][axis]);
    greatest = fmaxf(greatest, region->corners[k][axis]);
  }
  range[0] = (int)fmaxf(least - 1, 0);
  range[1] = (int)fminf(greatest + 2, SIDE);
}

void canvas_paint(struct canvas *canvas, const struct part *part, const struct placement *placement,
                  const float colour[CHANNELS], float opacity) {
  struct region region;
  int columns[2], rows[2];
  find_corners(&region, part, placement);
  find_lines(&region);
  find_ellipse(&region, part, placement);
  find_range(&region, 0, columns);
  find_range(&region, 1, rows);
  for (int y = rows[0]; y < rows[1]; y++)
    for (int x = columns[0]; x < columns[1]; x++) {
      const float share = opacity * coverage(&region, (float)x + 0.5f, (float)y + 0.5f);
      for (int c = 0; c < CHANNELS; c++) {
        float *pixel = &canvas->pixels[c][y][x];
        *pixel += share * (colour[c] - *pixel);
      }
    }
}
