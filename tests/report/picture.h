/* SPDX-License-Identifier: MIT */
/** A chart, drawn into memory. */
#ifndef TESTS_REPORT_PICTURE_H
#define TESTS_REPORT_PICTURE_H

#include "report/chart.h"

struct picture {
  int width, height;
  cairo_surface_t *surface;
};

/** scale: pixels of a point. picture_clear frees it. */
struct picture picture_draw(const struct chart *chart, int scale);
void picture_clear(struct picture *picture);

/** From 0, black, to 255. */
guint8 picture_pixel(const struct picture *picture, int x, int y);

/** A chart from 0 to 100 with at most eight categories, one series and no legend but its name. */
struct chart picture_chart(const struct chart_bar *bars, guint categories);

/** Three bars; the last is 100, the tallest. */
extern const struct chart_bar picture_bars[3];

#endif
