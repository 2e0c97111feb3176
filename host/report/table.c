/* SPDX-License-Identifier: MIT */
#include "report/table.h"

#include <math.h>

/* Width of a text in characters, as monospaced terminals show it. */
static gint width_of(const char *text) { return (gint)g_utf8_strlen(text, -1); }

static gint widest(const char *const *names, guint count, gint least) {
  for (guint k = 0; k < count; k++) least = MAX(least, width_of(names[k]));
  return least;
}

static void append_padded(GString *out, const char *text, gint width) {
  g_string_append_printf(out, "%s%*s", text, MAX(0, width - width_of(text)), "");
}

static void append_percent(GString *out, double share, gint width) {
  if (isnan(share))
    g_string_append_printf(out, "%*s", width, "-");
  else
    g_string_append_printf(out, "%*.1f%%", width - 1, 100 * share);
}

void report_cross(GString *out, const char *const *names, guint count, const double *accuracy) {
  const gint first = widest(names, count, width_of("extractor")), column = widest(names, count, 4) + 8;
  append_padded(out, "extractor", first);
  for (guint j = 0; j < count; j++)
    g_string_append_printf(out, "%*s%s", column - width_of("head ") - width_of(names[j]), "", "head "),
        g_string_append(out, names[j]);
  g_string_append_c(out, '\n');
  for (guint i = 0; i < count; i++) {
    append_padded(out, names[i], first);
    for (guint j = 0; j < count; j++) append_percent(out, accuracy[i * count + j], column);
    g_string_append_c(out, '\n');
  }
}

void report_comparison(GString *out, const struct report_row *rows, guint count) {
  gint first = width_of("experiment");
  for (guint k = 0; k < count; k++) first = MAX(first, width_of(rows[k].name));
  append_padded(out, "experiment", first);
  g_string_append_printf(out, "%16s%16s%10s\n", "own accuracy", "swap accuracy", "chance");
  for (guint k = 0; k < count; k++) {
    append_padded(out, rows[k].name, first);
    append_percent(out, rows[k].own, 16);
    append_percent(out, rows[k].swap, 16);
    append_percent(out, rows[k].chance, 10);
    g_string_append_c(out, '\n');
  }
}

/* The share of its accuracy above chance that a head keeps on the other's extractor. */
static double kept(const struct report_row *row) {
  const double own = row->own - row->chance, swap = row->swap - row->chance;
  return own > 0 ? MAX(0, swap / own) : (double)NAN;
}

void report_verdict(GString *out, const struct report_row *rows, guint count) {
  g_autoptr(GString) list = g_string_new(NULL);
  for (guint k = 0; k < count; k++) {
    if (isnan(rows[k].swap)) continue;
    const double share = kept(&rows[k]);
    g_string_append_printf(list, "%s %s", list->len ? "," : "", rows[k].name);
    if (isnan(share))
      g_string_append(list, " nothing (its own accuracy is at chance)");
    else
      g_string_append_printf(list, " %.0f%%", 100 * share);
  }
  if (list->len)
    g_string_append_printf(out, "Of its accuracy above chance, a head keeps on the other network's extractor:%s.\n",
                           list->str);
}
