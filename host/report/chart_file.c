/* SPDX-License-Identifier: MIT */
#include "report/chart_file.h"

#include <cairo-svg.h>
#include <math.h>
#include <string.h>

#include "store/file.h"

static cairo_status_t append(void *closure, const unsigned char *data, unsigned length) {
  g_byte_array_append(closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

static cairo_status_t draw(const struct chart *chart, cairo_surface_t *surface, double scale) {
  cairo_t *cr = cairo_create(surface);
  cairo_scale(cr, scale, scale);
  chart_draw(chart, cr);
  const cairo_status_t status = cairo_status(cr);
  cairo_destroy(cr);
  return status;
}

/* cairo numbers surfaces through the whole life of the program, and nothing refers to that number. */
static void drop_surface_number(GByteArray *svg) {
  static const char name[] = " id=\"surface";
  const char *text = (char *)svg->data, *id = g_strstr_len(text, svg->len, name);
  if (!id) return;
  const gsize length = strlen(name) + strspn(id + strlen(name), "0123456789") + strlen("\"");
  g_byte_array_remove_range(svg, (guint)(id - text), (guint)length);
}

static gboolean write_bytes(const char *path, const GByteArray *bytes, cairo_status_t status, GError **error) {
  if (status != CAIRO_STATUS_SUCCESS)
    return error_failed(error, "%s: cannot be drawn: %s", path, cairo_status_to_string(status));
  const struct file_part part = {bytes->data, bytes->len};
  return file_replace(path, &part, 1, error);
}

gboolean chart_write_svg(const struct chart *chart, const char *path, GError **error) {
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  double width, height;
  chart_size(chart, &width, &height);
  cairo_surface_t *surface = cairo_svg_surface_create_for_stream(append, bytes, width, height);
  cairo_status_t status = draw(chart, surface, 1);
  cairo_surface_finish(surface);
  if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(surface);
  cairo_surface_destroy(surface);
  drop_surface_number(bytes);
  return write_bytes(path, bytes, status, error);
}

gboolean chart_write_png(const struct chart *chart, const char *path, GError **error) {
  static const double finest = 2, most = 32767; /* pixels a point, and a side that cairo draws */
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  double width, height;
  chart_size(chart, &width, &height);
  const double scale = MIN(finest, most / MAX(width, height));
  cairo_surface_t *surface =
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)lround(scale * width), (int)lround(scale * height));
  cairo_status_t status = draw(chart, surface, scale);
  if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_write_to_png_stream(surface, append, bytes);
  cairo_surface_destroy(surface);
  return write_bytes(path, bytes, status, error);
}
