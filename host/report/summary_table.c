/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "report/summary.h"
#include "report/table.h"

/* Cells of a table, row after row, to be freed. */
struct grid {
  GPtrArray *cells;
  guint columns;
  guint left; /* so many columns are text and begin at the left; the others are numbers and end at the right */
};

static void add(struct grid *grid, const char *text) { g_ptr_array_add(grid->cells, g_strdup(text)); }

static void add_value(struct grid *grid, enum summary_measure measure, struct summary_value value) {
  const gboolean accuracy = measure == SUMMARY_OWN || measure == SUMMARY_SWAP;
  const int digits = accuracy ? 1 : 2;
  const double scale = accuracy ? 100 : 1;
  g_autoptr(GString) cell = g_string_new(NULL);
  if (isnan(value.mean)) {
    add(grid, "-");
    return;
  }
  g_string_append_printf(cell, "%.*f", digits, report_shown(scale * value.mean, digits));
  if (!isnan(value.deviation)) g_string_append_printf(cell, " ± %.*f", digits, scale * value.deviation);
  if (accuracy) g_string_append(cell, " %");
  add(grid, cell->str);
}

static void append_grid(GString *out, const struct grid *grid) {
  g_autofree glong *widths = g_new0(glong, grid->columns);
  for (guint k = 0; k < grid->cells->len; k++)
    widths[k % grid->columns] = MAX(widths[k % grid->columns], g_utf8_strlen(grid->cells->pdata[k], -1));
  for (guint k = 0; k < grid->cells->len; k++) {
    const guint column = k % grid->columns;
    const char *text = grid->cells->pdata[k];
    const int space = (int)(widths[column] - g_utf8_strlen(text, -1));
    const gboolean left = column < grid->left;
    g_string_append_printf(out, "%*s%s%*s", left ? 0 : space, "", text, left ? space : 0, "");
    g_string_append(out, column + 1 < grid->columns ? "  " : "\n");
  }
}

static void append_counts(GString *out, const struct summary *summary) {
  const char *separator = " (";
  guint runs = 0;
  for (guint k = 0; k < SUMMARY_STATES; k++) runs += summary->states[k];
  g_string_append_printf(out, "%s: ", summary->name);
  if (summary->states[SUMMARY_DONE] < runs) g_string_append_printf(out, "%u of ", summary->states[SUMMARY_DONE]);
  g_string_append_printf(out, "%u %s", runs, runs == 1 ? "run" : "runs");
  for (guint k = SUMMARY_DONE + 1; k < SUMMARY_STATES; k++) {
    if (!summary->states[k]) continue;
    g_string_append_printf(out, "%s%u %s", separator, summary->states[k], summary_state_name(k));
    separator = ", ";
  }
  g_string_append(out, *separator == ',' ? ")\n" : "\n");
}

static void add_titles(struct grid *grid, const struct summary *summary) {
  for (guint k = 0; k < summary->axis_count; k++) add(grid, summary->axes[k].key);
  add(grid, "runs");
  for (enum summary_measure m = 0; m < SUMMARY_MEASURES; m++)
    if (summary_has(summary, m)) add(grid, summary_measure_name(m));
  add(grid, "chance");
  grid->columns = grid->cells->len;
}

static void add_group(struct grid *grid, const struct summary *summary, const struct summary_group *group) {
  g_autofree char *runs = g_strdup_printf("%u", group->runs);
  for (guint axis = 0; axis < summary->axis_count; axis++) add(grid, summary_label(summary, group, axis));
  add(grid, runs);
  for (enum summary_measure m = 0; m < SUMMARY_MEASURES; m++)
    if (summary_has(summary, m)) add_value(grid, m, group->values[m]);
  add_value(grid, SUMMARY_OWN, (struct summary_value){group->chance, (double)NAN});
}

void summary_table(GString *out, const struct summary *summary) {
  g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
  struct grid grid = {.cells = cells, .left = summary->axis_count};
  append_counts(out, summary);
  add_titles(&grid, summary);
  for (guint k = 0; k < summary->group_count; k++) add_group(&grid, summary, &summary->groups[k]);
  append_grid(out, &grid);
}
