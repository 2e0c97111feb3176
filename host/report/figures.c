/* SPDX-License-Identifier: MIT */
#include "report/figures.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "report/chart_file.h"
#include "store/file.h"

enum { SERIES = 2, PLACES_MOST = 2000 };

static const struct figure {
  const char *name, *y_name;
  enum summary_measure measures[SERIES];
  const char *series[SERIES];
  double unit;  /* what the scale counts: 0.01 for per cent */
  double least; /* that is possible, on the scale */
  double tick;
  gboolean chance;
} figures[] = {
    {
        .name = "accuracy",
        .y_name = "accuracy (%)",
        .measures = {SUMMARY_OWN, SUMMARY_SWAP},
        .series = {"own accuracy", "swap accuracy"},
        .unit = 0.01,
        .least = 0,
        .tick = 20,
        .chance = TRUE,
    },
    {
        .name = "similarity",
        .y_name = "mean correlation",
        .measures = {SUMMARY_CORRELATION, SUMMARY_MATCHED},
        .series = {"same index", "after matching"},
        .unit = 1,
        .least = -1,
        .tick = 0.2,
    },
};

/* A chart and what it borrows. */
struct drawing {
  const struct summary *summary;
  const struct figure *figure;
  guint x_axis; /* axis_count: the sweep has no axis but the seed */
  enum summary_measure measures[SERIES];
  const char *series[SERIES];
  GPtrArray *categories, *panels; /* strings to be freed */
  struct chart_bar *bars;
  double *chance;
  struct chart chart;
};

static void drawing_clear(struct drawing *drawing) {
  g_ptr_array_unref(drawing->categories);
  g_ptr_array_unref(drawing->panels);
  g_free(drawing->bars);
  g_free(drawing->chance);
}

/* "split" of "networks.*.split". */
static const char *last_part(const char *key) {
  const char *point = strrchr(key, '.');
  return point ? point + 1 : key;
}

static guint choose_x_axis(const struct summary *summary) {
  for (guint k = summary->axis_count; k-- > 0;)
    if (g_str_has_prefix(summary->axes[k].key, "networks.") && g_str_has_suffix(summary->axes[k].key, ".split"))
      return k;
  return summary->axis_count ? summary->axis_count - 1 : 0;
}

/* "scheme: joint, weight: 2": where the group is on the axes that are not on the x axis. */
static char *panel_name(const struct drawing *drawing, const struct summary_group *group) {
  const struct summary *summary = drawing->summary;
  GString *name = g_string_new(NULL);
  for (guint k = 0; k < summary->axis_count; k++)
    if (k != drawing->x_axis)
      g_string_append_printf(name, "%s%s: %s", name->len ? ", " : "", last_part(summary->axes[k].key),
                             summary_label(summary, group, k));
  return g_string_free(name, FALSE);
}

static const char *category_name(const struct drawing *drawing, const struct summary_group *group) {
  const struct summary *summary = drawing->summary;
  return summary->axis_count ? summary_label(summary, group, drawing->x_axis) : summary->name;
}

/* Its index among the names, to which it is added when it is new. */
static guint index_of(GPtrArray *names, const char *name) {
  guint index;
  if (g_ptr_array_find_with_equal_func(names, name, g_str_equal, &index)) return index;
  g_ptr_array_add(names, g_strdup(name));
  return names->len - 1;
}

/* Where the group's bars are: its panel and category as one index. */
static guint place_of(const struct drawing *drawing, const struct summary_group *group) {
  g_autofree char *panel = panel_name(drawing, group);
  const guint row = index_of(drawing->panels, panel);
  return row * drawing->categories->len + index_of(drawing->categories, category_name(drawing, group));
}

static void name_panels_and_categories(struct drawing *drawing) {
  const struct summary *summary = drawing->summary;
  drawing->categories = g_ptr_array_new_with_free_func(g_free);
  drawing->panels = g_ptr_array_new_with_free_func(g_free);
  for (guint k = 0; k < summary->group_count; k++) place_of(drawing, &summary->groups[k]);
}

static void choose_series(struct drawing *drawing) {
  struct chart *chart = &drawing->chart;
  for (guint s = 0; s < SERIES; s++) {
    if (!summary_has(drawing->summary, drawing->figure->measures[s])) continue;
    drawing->measures[chart->series_count] = drawing->figure->measures[s];
    drawing->series[chart->series_count++] = drawing->figure->series[s];
  }
}

static void fill_bars(struct drawing *drawing) {
  const struct summary *summary = drawing->summary;
  const guint places = drawing->panels->len * drawing->categories->len, series = drawing->chart.series_count;
  const double unit = drawing->figure->unit;
  drawing->bars = g_new(struct chart_bar, (gsize)places * series);
  drawing->chance = g_new(double, places);
  for (guint k = 0; k < places * series; k++) drawing->bars[k] = (struct chart_bar){(double)NAN, (double)NAN};
  for (guint k = 0; k < places; k++) drawing->chance[k] = (double)NAN;
  for (guint k = 0; k < summary->group_count; k++) {
    const struct summary_group *group = &summary->groups[k];
    const guint place = place_of(drawing, group);
    drawing->chance[place] = group->chance / unit;
    for (guint s = 0; s < series; s++) {
      const struct summary_value value = group->values[drawing->measures[s]];
      drawing->bars[place * series + s] = (struct chart_bar){value.mean / unit, value.deviation / unit};
    }
  }
}

/* From 0, or from the tick below what is negative, a whisker too, to 1. */
static void choose_scale(struct drawing *drawing) {
  struct chart *chart = &drawing->chart;
  chart->tick = drawing->figure->tick;
  chart->most = 1 / drawing->figure->unit;
  for (guint k = 0; k < chart->panel_count * chart->category_count * chart->series_count; k++) {
    const struct chart_bar *bar = &chart->bars[k];
    if (!isnan(bar->deviation)) chart->whisker_name = "± standard deviation";
    if (!isnan(bar->value)) chart->least = MIN(chart->least, bar->value - (isnan(bar->deviation) ? 0 : bar->deviation));
  }
  chart->least = MAX(drawing->figure->least, chart->tick * floor(chart->least / chart->tick));
}

static void drawing_init(struct drawing *drawing, const struct summary *summary, const struct figure *figure) {
  *drawing = (struct drawing){.summary = summary, .figure = figure, .x_axis = choose_x_axis(summary)};
  name_panels_and_categories(drawing);
}

static gboolean check_size(const struct drawing *drawing, const char *path, GError **error) {
  const guint panels = drawing->panels->len, categories = drawing->categories->len;
  return (guint64)panels * categories <= PLACES_MOST ||
         error_failed(error,
                      "%s: cannot be drawn: %u × %u groups are more than %d; their numbers are in the CSV beside it",
                      path, panels, categories, PLACES_MOST);
}

static void make_chart(struct drawing *drawing) {
  const struct summary *summary = drawing->summary;
  const struct figure *figure = drawing->figure;
  struct chart *chart = &drawing->chart;
  choose_series(drawing);
  fill_bars(drawing);
  chart->title = summary->name;
  chart->x_name = summary->axis_count ? last_part(summary->axes[drawing->x_axis].key) : NULL;
  chart->y_name = figure->y_name;
  chart->panel_count = drawing->panels->len;
  chart->category_count = drawing->categories->len;
  chart->panels = summary->axis_count > 1 ? (const char *const *)drawing->panels->pdata : NULL;
  chart->categories = (const char *const *)drawing->categories->pdata;
  chart->series = drawing->series;
  chart->bars = drawing->bars;
  chart->reference = figure->chance ? drawing->chance : NULL;
  chart->reference_name = "chance";
  choose_scale(drawing);
}

/* A sweep's name is a name of a file in all but a damaged sweep.json. */
static const char *add_path(GPtrArray *paths, const char *folder, const struct summary *summary,
                            const struct figure *figure, const char *ending) {
  g_autofree char *escaped = g_uri_escape_string(summary->name, " ", TRUE);
  char *path = g_strdup_printf("%s/%s-%s.%s", folder, escaped, figure->name, ending);
  g_ptr_array_add(paths, path);
  return path;
}

static gboolean write_numbers(const struct summary *summary, const struct figure *figure, const char *folder,
                              GPtrArray *paths, GError **error) {
  g_autoptr(GString) csv = g_string_new(NULL);
  summary_csv(csv, summary, figure->measures[0], figure->measures[SERIES - 1]);
  const struct file_part part = {csv->str, csv->len};
  return file_replace(add_path(paths, folder, summary, figure, "csv"), &part, 1, error);
}

static gboolean write_drawing(struct drawing *drawing, const char *svg, const char *png, GError **error) {
  if (!check_size(drawing, svg, error)) return FALSE;
  make_chart(drawing);
  return chart_write_svg(&drawing->chart, svg, error) && chart_write_png(&drawing->chart, png, error);
}

static gboolean draw(const struct summary *summary, const struct figure *figure, const char *folder, GPtrArray *paths,
                     GError **error) {
  const char *svg = add_path(paths, folder, summary, figure, "svg");
  const char *png = add_path(paths, folder, summary, figure, "png");
  struct drawing drawing;
  drawing_init(&drawing, summary, figure);
  const gboolean good = write_drawing(&drawing, svg, png, error);
  drawing_clear(&drawing);
  return good;
}

static gboolean has_numbers(const struct summary *summary, const struct figure *figure) {
  for (guint s = 0; s < SERIES; s++)
    if (summary_has(summary, figure->measures[s])) return TRUE;
  return FALSE;
}

GPtrArray *figures_write(const struct summary *summary, const char *folder, GError **error) {
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  if (g_mkdir_with_parents(folder, 0777)) {
    error_failed(error, "%s: this folder for figures cannot be made: %s", folder, g_strerror(errno));
    return NULL;
  }
  for (guint k = 0; k < G_N_ELEMENTS(figures); k++)
    if (has_numbers(summary, &figures[k]) && !write_numbers(summary, &figures[k], folder, paths, error)) return NULL;
  for (guint k = 0; k < G_N_ELEMENTS(figures); k++)
    if (has_numbers(summary, &figures[k]) && !draw(summary, &figures[k], folder, paths, error)) return NULL;
  return g_steal_pointer(&paths);
}
