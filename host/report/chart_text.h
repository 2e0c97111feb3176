/* SPDX-License-Identifier: MIT */
/** Text on a chart, in the system's sans-serif font. Positions and lengths in points. */
#ifndef REPORT_CHART_TEXT_H
#define REPORT_CHART_TEXT_H

#include <cairo.h>
#include <glib.h>

/** From one line to the next, for the size of chart_text_font. */
#define CHART_LINE 13.0

enum chart_align { CHART_LEFT, CHART_CENTRE, CHART_RIGHT };

/** Chooses the font, of one size; without it text_width means nothing. */
void chart_text_font(cairo_t *cr, gboolean bold);

double chart_text_width(cairo_t *cr, const char *text);

/** Draws a line of text in black; (x, y): the point of its base line that `align` names. */
void chart_text_draw(cairo_t *cr, const char *text, double x, double y, enum chart_align align);

/** The same, turned to read from the bottom upwards. */
void chart_text_draw_upwards(cairo_t *cr, const char *text, double x, double y, enum chart_align align);

/**
 * Lines (GPtrArray of strings) of at most `width`, broken after a space or one of "+-,=_/"; NULL when a part is longer
 * than that or there are more than `most` lines. The caller unrefs it.
 */
GPtrArray *chart_text_wrap(cairo_t *cr, const char *text, double width, guint most);

/** The text, or as much of its beginning as fits with "…". The caller frees it. */
char *chart_text_shorten(cairo_t *cr, const char *text, double width);

#endif
