/* SPDX-License-Identifier: MIT */
/**
 * A bar chart for print: readable in black and white. Knows numbers and names, nothing of where they come from.
 *
 * Each category has a bar for each series, side by side; series differ in their fill. A panel is a set of axes with all
 * categories; panels share the scale and stand in rows. A label too long for its place is broken into lines or, when
 * that is not enough, turned upwards and at last shortened, so that none runs into another.
 */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include <cairo.h>
#include <glib.h>

#define CHART_SERIES_MOST 2

struct chart_bar {
  double value;     /**< NaN: no bar, a dash in its place */
  double deviation; /**< half the length of the whisker; NaN: none */
};

/** All pointers are borrowed. */
struct chart {
  const char *title;
  const char *x_name;       /**< what the categories are; NULL: not said */
  const char *y_name;       /**< with the unit */
  double least, most, tick; /**< scale: ticks at multiples of `tick`, of which least ≤ 0 and most > 0 are two */
  guint panel_count, category_count, series_count;
  const char *const *panels; /**< titles; NULL: none */
  const char *const *categories;
  const char *const *series;    /**< for the legend; at most CHART_SERIES_MOST */
  const struct chart_bar *bars; /**< [panel][category][series]; what leaves the scale is cut off, a whisker's cap too */
  const double *reference;      /**< [panel][category] height of a dashed line; NaN: none there; NULL: none at all */
  const char *reference_name;   /**< for the legend */
  const char *whisker_name;     /**< for the legend; NULL: not said */
};

/** Points of width and height that the chart takes. */
void chart_size(const struct chart *chart, double *width, double *height);

/** Draws the chart, on white, with its top left corner at (0, 0). The same chart gives the same picture. */
void chart_draw(const struct chart *chart, cairo_t *cr);

#endif
