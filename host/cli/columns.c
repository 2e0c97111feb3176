/* SPDX-License-Identifier: MIT */
#include "cli/columns.h"

static const char *cell(const GPtrArray *cells, guint columns, guint row, guint column) {
  return cells->pdata[row * columns + column];
}

/* In characters, as monospaced terminals show it; 0 for a column to leave out. */
static gint width_of(const GPtrArray *cells, guint columns, guint column) {
  glong width = 0;
  gboolean empty = TRUE;
  for (guint row = 0; row < cells->len / columns; row++) {
    const char *text = cell(cells, columns, row, column);
    if (row > 0 && *text) empty = FALSE;
    width = MAX(width, g_utf8_strlen(text, -1));
  }
  return empty ? 0 : (gint)width;
}

void columns_print(FILE *stream, const GPtrArray *cells, guint columns, guint indent) {
  g_autofree gint *widths = g_new(gint, columns);
  for (guint column = 0; column < columns; column++) widths[column] = width_of(cells, columns, column);
  for (guint row = 0; row < cells->len / columns; row++) {
    gint gap = (gint)indent; /* spaces that only text which follows makes visible: no line ends in some */
    for (guint column = 0; column < columns; column++) {
      if (!widths[column]) continue;
      const char *text = cell(cells, columns, row, column);
      if (*text) {
        fprintf(stream, "%*s%s", gap, "", text);
        gap = 0;
      }
      gap += widths[column] - (gint)g_utf8_strlen(text, -1) + 2;
    }
    fputc('\n', stream);
  }
}
