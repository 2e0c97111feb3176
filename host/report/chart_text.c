/* SPDX-License-Identifier: MIT */
#include "report/chart_text.h"

#include <string.h>

static const char breaks[] = " +-,=_/";

void chart_text_font(cairo_t *cr, gboolean bold) {
  /* Without hints, so that text is as wide in every surface and at every scale. */
  cairo_font_options_t *options = cairo_font_options_create();
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_set_font_options(cr, options);
  cairo_font_options_destroy(options);
  cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cr, 10.5);
}

double chart_text_width(cairo_t *cr, const char *text) {
  cairo_text_extents_t extents;
  cairo_text_extents(cr, text, &extents);
  return extents.x_advance;
}

void chart_text_draw(cairo_t *cr, const char *text, double x, double y, enum chart_align align) {
  static const double shares[] = {[CHART_LEFT] = 0, [CHART_CENTRE] = 0.5, [CHART_RIGHT] = 1};
  cairo_set_source_rgb(cr, 0, 0, 0);
  cairo_move_to(cr, x - shares[align] * chart_text_width(cr, text), y);
  cairo_show_text(cr, text);
}

void chart_text_draw_upwards(cairo_t *cr, const char *text, double x, double y, enum chart_align align) {
  cairo_save(cr);
  cairo_translate(cr, x, y);
  cairo_rotate(cr, -G_PI / 2);
  chart_text_draw(cr, text, 0, 0, align);
  cairo_restore(cr);
}

/* Bytes up to and with the next place for a break. */
static gsize part_length(const char *text) {
  const gsize length = strcspn(text, breaks);
  return text[length] ? length + 1 : length;
}

static gboolean fits(cairo_t *cr, const char *text, double width) { return chart_text_width(cr, text) <= width; }

/* Ends a line: a space at its end would move a centred line. */
static void end_line(GPtrArray *lines, const GString *line) { g_ptr_array_add(lines, g_strchomp(g_strdup(line->str))); }

GPtrArray *chart_text_wrap(cairo_t *cr, const char *text, double width, guint most) {
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GString) line = g_string_new(NULL);
  while (*text) {
    const gsize length = part_length(text), before = line->len;
    g_string_append_len(line, text, (gssize)length);
    if (before && !fits(cr, line->str, width)) {
      g_string_truncate(line, before);
      end_line(lines, line);
      g_string_truncate(line, 0);
      g_string_append_len(line, text, (gssize)length);
    }
    if (!fits(cr, line->str, width)) return NULL;
    text += length;
  }
  end_line(lines, line);
  return lines->len <= most ? g_steal_pointer(&lines) : NULL;
}

char *chart_text_shorten(cairo_t *cr, const char *text, double width) {
  if (fits(cr, text, width)) return g_strdup(text);
  for (glong length = g_utf8_strlen(text, -1) - 1; length > 0; length--) {
    g_autofree char *start = g_utf8_substring(text, 0, length), *shorter = g_strconcat(start, "…", NULL);
    if (fits(cr, shorter, width)) return g_steal_pointer(&shorter);
  }
  return g_strdup("…");
}
