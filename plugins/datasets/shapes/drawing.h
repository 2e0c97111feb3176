/* SPDX-License-Identifier: MIT */
/** Drawings as data: what is drawn in unit coordinates, in which x runs right and y down, both about -1 .. 1. */
#ifndef SHAPES_DRAWING_H
#define SHAPES_DRAWING_H

enum { MAX_PARTS = 8, CLASS_COUNT = 10 };

enum form {
  BOX,      /**< left, top, right, bottom */
  ELLIPSE,  /**< the box round it */
  DOME,     /**< upper half of an ellipse: the box round that half */
  TRIANGLE, /**< x, y of three corners */
  QUAD      /**< x, y of four corners, convex, in order round it */
};

/** Which of an image's colours. */
enum colour { MAIN, SECOND, DETAIL, COLOUR_COUNT };

struct part {
  enum form form;
  enum colour colour;
  float points[8];
};

struct drawing {
  const char *name;
  unsigned part_count;
  struct part parts[MAX_PARTS]; /**< from back to front */
};

/** One a class, by label. Each has an upright orientation: turned by a quarter or a half it is another picture. */
extern const struct drawing drawings[CLASS_COUNT];

#endif
