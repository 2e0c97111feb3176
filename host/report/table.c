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

double report_shown(double value, int digits) { return fabs(value) < 0.5 * pow(10, -digits) ? 0 : value; }

static void append_measure(GString *out, double value, gint width) {
  if (isnan(value))
    g_string_append_printf(out, "%*s", width, "-");
  else
    g_string_append_printf(out, "%*.3f", width, report_shown(value, 3));
}

/* The caller frees it. */
static char *pair_name(const struct report_pair *pair) {
  if (!pair->images) return g_strdup_printf("%s and %s", pair->extractor, pair->other);
  return g_strdup_printf("%s and %s, images of %s", pair->extractor, pair->other, pair->images);
}

void report_similarity(GString *out, const struct report_pair *pairs, guint count) {
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  gboolean dead = FALSE;
  for (guint k = 0; k < count; k++) {
    g_ptr_array_add(names, pair_name(&pairs[k]));
    dead |= pairs[k].dead[0] || pairs[k].dead[1];
  }
  if (!count) return;
  const gint first = widest((const char *const *)names->pdata, count, width_of("features"));
  append_padded(out, "features", first);
  g_string_append_printf(out, "%14s%17s%8s%s\n", "correlation", "after matching", "CKA",
                         dead ? "   dead channels" : "");
  for (guint k = 0; k < count; k++) {
    append_padded(out, g_ptr_array_index(names, k), first);
    append_measure(out, pairs[k].correlation, 14);
    append_measure(out, pairs[k].matched_correlation, 17);
    append_measure(out, pairs[k].cka, 8);
    g_autofree char *channels = g_strdup_printf("%u and %u", pairs[k].dead[0], pairs[k].dead[1]);
    if (dead) g_string_append_printf(out, "%16s", channels);
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

void report_verdict(GString *out, const struct report_row *rows, guint count) {
  g_autoptr(GString) list = g_string_new(NULL);
  for (guint k = 0; k < count; k++) {
    if (isnan(rows[k].swap)) continue;
    g_string_append_printf(list, "%s %s", list->len ? "," : "", rows[k].name);
    if (isnan(rows[k].kept))
      g_string_append(list, " nothing (its own accuracy is at chance)");
    else
      g_string_append_printf(list, " %.0f%%", 100 * rows[k].kept);
  }
  if (list->len)
    g_string_append_printf(out, "Of its accuracy above chance, a head keeps on the other network's extractor:%s.\n",
                           list->str);
}
