/* SPDX-License-Identifier: MIT */
#include "picture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

const struct chart_bar picture_bars[3] = {{20, (double)NAN}, {40, (double)NAN}, {100, (double)NAN}};

struct picture picture_draw(const struct chart *chart, int scale) {
  double width, height;
  chart_size(chart, &width, &height);
  struct picture picture = {scale * (int)width, scale * (int)height, NULL};
  picture.surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, picture.width, picture.height);
  cairo_t *cr = cairo_create(picture.surface);
  cairo_scale(cr, scale, scale);
  chart_draw(chart, cr);
  assert_int_equal(cairo_status(cr), CAIRO_STATUS_SUCCESS);
  cairo_destroy(cr);
  cairo_surface_flush(picture.surface);
  return picture;
}

void picture_clear(struct picture *picture) { cairo_surface_destroy(picture->surface); }

guint8 picture_pixel(const struct picture *picture, int x, int y) {
  const guchar *row =
      cairo_image_surface_get_data(picture->surface) + y * cairo_image_surface_get_stride(picture->surface);
  return (guint8)((const guint32 *)(const void *)row)[x];
}

struct chart picture_chart(const struct chart_bar *bars, guint categories) {
  static const char *const letters[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  return (struct chart){.title = "title",
                        .x_name = "letter",
                        .y_name = "height (%)",
                        .least = 0,
                        .most = 100,
                        .tick = 20,
                        .panel_count = 1,
                        .category_count = categories,
                        .series_count = 1,
                        .categories = letters,
                        .series = letters,
                        .bars = bars};
}
