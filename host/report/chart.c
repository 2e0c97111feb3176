/* SPDX-License-Identifier: MIT */
#include "report/chart.h"

#include <math.h>

#include "report/chart_text.h"

/* All lengths in points. */
static const double page = 780;        /* width that panels are made for */
static const double plot_height = 230; /* of the axes alone */
static const double margin = 12, gap = 24, tick_length = 4;
static const double slot_least = 22, slot_most = 100; /* a category's width */
static const double turned_most = 180;                /* the longest turned label */
enum { LINES_MOST = 3 };

/* Of the series; light, so that lines show on them. */
static const struct {
  double grey;
  gboolean hatched;
} fills[CHART_SERIES_MOST] = {{0.78, FALSE}, {1, TRUE}};

struct layout {
  double width, height;
  double slot, panel_width; /* of a category; of a panel's axes */
  double left;              /* from the left edge of a panel's cell to its axes: tick labels and the axis' name */
  double title_height, label_height;
  double row_height;
  guint columns;
  GPtrArray *titles; /* of the panels, and labels of the categories: GPtrArray of lines for each */
  GPtrArray *labels;
  gboolean turned; /* the labels of the categories, each then one line */
};

static gpointer one_line(cairo_t *cr, const char *text, double width) {
  GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(lines, chart_text_shorten(cr, text, width));
  return lines;
}

static GPtrArray *new_texts(void) { return g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref); }

static guint most_lines(const GPtrArray *texts) {
  guint most = 0;
  for (guint k = 0; k < texts->len; k++) most = MAX(most, ((GPtrArray *)texts->pdata[k])->len);
  return most;
}

static double widest(cairo_t *cr, const char *const *texts, guint count) {
  double width = 0;
  for (guint k = 0; k < count; k++) width = MAX(width, chart_text_width(cr, texts[k]));
  return width;
}

static gboolean wrap_labels(struct layout *layout, const struct chart *chart, cairo_t *cr) {
  for (guint k = 0; k < chart->category_count; k++) {
    GPtrArray *lines = chart_text_wrap(cr, chart->categories[k], layout->slot - 4, LINES_MOST);
    if (!lines) return FALSE;
    g_ptr_array_add(layout->labels, lines);
  }
  return TRUE;
}

static void place_labels(struct layout *layout, const struct chart *chart, cairo_t *cr) {
  layout->labels = new_texts();
  layout->turned = !wrap_labels(layout, chart, cr);
  if (!layout->turned) {
    layout->label_height = most_lines(layout->labels) * CHART_LINE;
    return;
  }
  g_ptr_array_set_size(layout->labels, 0);
  for (guint k = 0; k < chart->category_count; k++)
    g_ptr_array_add(layout->labels, one_line(cr, chart->categories[k], turned_most));
  layout->label_height = ceil(MIN(widest(cr, chart->categories, chart->category_count), turned_most));
}

static void place_titles(struct layout *layout, const struct chart *chart, cairo_t *cr) {
  layout->titles = new_texts();
  for (guint k = 0; chart->panels && k < chart->panel_count; k++) {
    GPtrArray *lines = chart_text_wrap(cr, chart->panels[k], layout->panel_width, LINES_MOST);
    g_ptr_array_add(layout->titles, lines ? lines : one_line(cr, chart->panels[k], layout->panel_width));
  }
  layout->title_height = layout->titles->len ? most_lines(layout->titles) * CHART_LINE + 8 : 0;
}

static guint tick_count(const struct chart *chart) {
  return (guint)lround((chart->most - chart->least) / chart->tick) + 1;
}

/* Counted from 0 and not from `least`, so that 0 is 0 and not almost. */
static double tick_at(const struct chart *chart, guint k) {
  return ((double)k + (double)lround(chart->least / chart->tick)) * chart->tick;
}

static void tick_text(const struct chart *chart, guint k, char text[static 16]) {
  g_snprintf(text, 16, "%.4g", tick_at(chart, k));
}

static double tick_text_width(const struct chart *chart, cairo_t *cr) {
  double width = 0;
  char text[16];
  for (guint k = 0; k < tick_count(chart); k++) {
    tick_text(chart, k, text);
    width = MAX(width, chart_text_width(cr, text));
  }
  return width;
}

static const double swatch = 14;

static double legend_width(const struct chart *chart, cairo_t *cr) {
  const guint lines = (chart->reference != NULL) + (chart->whisker_name != NULL);
  double width = (chart->series_count + lines) * (swatch + 6 + gap) - gap;
  for (guint k = 0; k < chart->series_count; k++) width += chart_text_width(cr, chart->series[k]);
  if (chart->reference) width += chart_text_width(cr, chart->reference_name);
  if (chart->whisker_name) width += chart_text_width(cr, chart->whisker_name);
  return width;
}

/* Title, legend and the space below them. */
static double head_height(void) { return margin + 2 * (CHART_LINE + 8) + 8; }

static void layout_init(struct layout *layout, const struct chart *chart, cairo_t *cr) {
  *layout = (struct layout){.left = CHART_LINE + 8 + ceil(tick_text_width(chart, cr)) + tick_length + 3};
  chart_text_font(cr, TRUE);
  const double title_width = chart_text_width(cr, chart->title);
  chart_text_font(cr, FALSE);
  layout->slot = CLAMP(floor(page / chart->category_count), slot_least, slot_most);
  layout->panel_width = layout->slot * chart->category_count;
  place_labels(layout, chart, cr);
  place_titles(layout, chart, cr);
  const double cell = layout->left + layout->panel_width;
  layout->columns = CLAMP((guint)((page + layout->left + gap) / (cell + gap)), 1, chart->panel_count);
  const guint rows = (chart->panel_count + layout->columns - 1) / layout->columns;
  layout->row_height = layout->title_height + plot_height + tick_length + layout->label_height + gap;
  layout->width = layout->columns * (cell + gap) - gap;
  layout->width = ceil(2 * margin + MAX(layout->width, MAX(title_width, legend_width(chart, cr))));
  layout->height = head_height() + rows * layout->row_height - gap + margin;
  layout->height = ceil(layout->height + (chart->x_name ? CHART_LINE + 6 : 0));
}

static void layout_clear(struct layout *layout) {
  g_ptr_array_unref(layout->labels);
  g_ptr_array_unref(layout->titles);
}

static double height_of(const struct chart *chart, double value) {
  return plot_height * (CLAMP(value, chart->least, chart->most) - chart->least) / (chart->most - chart->least);
}

static void line(cairo_t *cr, double x1, double y1, double x2, double y2) {
  cairo_move_to(cr, x1, y1);
  cairo_line_to(cr, x2, y2);
}

static void hatch(cairo_t *cr, double x, double y, double width, double height) {
  const double distance = 5;
  cairo_save(cr);
  cairo_rectangle(cr, x, y, width, height);
  cairo_clip(cr);
  for (double at = -height; at < width; at += distance) line(cr, x + at, y + height, x + at + height, y);
  cairo_stroke(cr);
  cairo_restore(cr);
}

static void draw_box(cairo_t *cr, double x, double y, double width, double height, guint series) {
  cairo_rectangle(cr, x, y, width, height);
  cairo_set_source_rgb(cr, fills[series].grey, fills[series].grey, fills[series].grey);
  cairo_fill(cr);
  cairo_set_source_rgb(cr, 0, 0, 0);
  if (fills[series].hatched) hatch(cr, x, y, width, height);
  cairo_rectangle(cr, x, y, width, height);
  cairo_stroke(cr);
}

/* An end of a whisker. */
struct whisker_end {
  double y;
  gboolean capped;
};

static void draw_whisker(cairo_t *cr, double x, const struct whisker_end ends[2]) {
  line(cr, x, ends[0].y, x, ends[1].y);
  for (guint k = 0; k < 2; k++)
    if (ends[k].capped) line(cr, x - 3, ends[k].y, x + 3, ends[k].y);
  cairo_stroke(cr);
}

/* One that is cut off has no cap there: it would look like the end. */
static struct whisker_end end_at(const struct chart *chart, double value, double bottom) {
  return (struct whisker_end){bottom - height_of(chart, value), value >= chart->least && value <= chart->most};
}

/* `bottom` is where the axes end. */
static void draw_bar(const struct chart *chart, cairo_t *cr, const struct chart_bar *bar, guint series, double x,
                     double bottom, double width) {
  const double zero = bottom - height_of(chart, 0), end = bottom - height_of(chart, bar->value);
  if (isnan(bar->value)) {
    chart_text_draw(cr, "–", x + width / 2, zero - 3, CHART_CENTRE);
    return;
  }
  draw_box(cr, x, MIN(zero, end), width, fabs(zero - end), series);
  if (isnan(bar->deviation)) return;
  const struct whisker_end ends[] = {end_at(chart, bar->value - bar->deviation, bottom),
                                     end_at(chart, bar->value + bar->deviation, bottom)};
  draw_whisker(cr, x + width / 2, ends);
}

static void draw_bars(const struct chart *chart, const struct layout *layout, cairo_t *cr, guint panel, double x,
                      double bottom) {
  const double width = floor(0.72 * layout->slot / chart->series_count);
  const double before = floor((layout->slot - width * chart->series_count) / 2);
  const struct chart_bar *bar = &chart->bars[panel * chart->category_count * chart->series_count];
  for (guint c = 0; c < chart->category_count; c++)
    for (guint s = 0; s < chart->series_count; s++)
      draw_bar(chart, cr, bar++, s, x + c * layout->slot + before + s * width, bottom, width);
}

static void set_dashes(cairo_t *cr, gboolean dashed) {
  static const double dashes[] = {5, 3};
  cairo_set_dash(cr, dashes, dashed ? G_N_ELEMENTS(dashes) : 0, 0);
}

/* One line through neighbours of the same height. */
static void draw_reference(const struct chart *chart, const struct layout *layout, cairo_t *cr, guint panel, double x,
                           double bottom) {
  const double *heights = &chart->reference[panel * chart->category_count];
  for (guint c = 0; c < chart->category_count; c++) {
    if (isnan(heights[c])) continue;
    const double y = bottom - height_of(chart, heights[c]);
    if (c == 0 || heights[c] != heights[c - 1]) cairo_move_to(cr, x + c * layout->slot, y);
    cairo_line_to(cr, x + (c + 1) * layout->slot, y);
  }
  set_dashes(cr, TRUE);
  cairo_stroke(cr);
  set_dashes(cr, FALSE);
}

static void draw_scale(const struct chart *chart, const struct layout *layout, cairo_t *cr, double x, double bottom) {
  char text[16];
  for (guint k = 0; k < tick_count(chart); k++) {
    const double y = bottom - height_of(chart, tick_at(chart, k));
    cairo_set_source_rgb(cr, 0.88, 0.88, 0.88);
    line(cr, x, y, x + layout->panel_width, y);
    cairo_stroke(cr);
    tick_text(chart, k, text);
    chart_text_draw(cr, text, x - tick_length - 3, y + 4, CHART_RIGHT);
    line(cr, x - tick_length, y, x, y);
    cairo_stroke(cr);
  }
  chart_text_draw_upwards(cr, chart->y_name, x - layout->left + CHART_LINE, bottom - plot_height / 2, CHART_CENTRE);
}

static void draw_axes(const struct chart *chart, const struct layout *layout, cairo_t *cr, double x, double bottom) {
  const double zero = bottom - height_of(chart, 0);
  line(cr, x, bottom, x, bottom - plot_height);
  line(cr, x, zero, x + layout->panel_width, zero);
  cairo_stroke(cr);
}

static void draw_lines(cairo_t *cr, const GPtrArray *lines, double x, double y) {
  for (guint k = 0; k < lines->len; k++) chart_text_draw(cr, lines->pdata[k], x, y + k * CHART_LINE, CHART_CENTRE);
}

static void draw_labels(const struct layout *layout, cairo_t *cr, double x, double y) {
  for (guint k = 0; k < layout->labels->len; k++) {
    const GPtrArray *lines = layout->labels->pdata[k];
    const double middle = x + (k + 0.5) * layout->slot;
    if (layout->turned)
      chart_text_draw_upwards(cr, lines->pdata[0], middle + 4, y, CHART_RIGHT);
    else
      draw_lines(cr, lines, middle, y + CHART_LINE - 3);
  }
}

/* x, y: the top left corner of the panel's cell. */
static void draw_panel(const struct chart *chart, const struct layout *layout, cairo_t *cr, guint panel, double x,
                       double y) {
  const double left = x + layout->left, bottom = y + layout->title_height + plot_height;
  if (chart->panels) draw_lines(cr, layout->titles->pdata[panel], left + layout->panel_width / 2, y + CHART_LINE - 3);
  draw_scale(chart, layout, cr, left, bottom);
  draw_bars(chart, layout, cr, panel, left, bottom);
  draw_axes(chart, layout, cr, left, bottom);
  if (chart->reference) draw_reference(chart, layout, cr, panel, left, bottom);
  draw_labels(layout, cr, left, bottom + tick_length);
}

/* Writes an entry's name beside its swatch; returns where the next entry begins. */
static double draw_entry(cairo_t *cr, const char *name, double x, double base) {
  chart_text_draw(cr, name, x + swatch + 6, base, CHART_LEFT);
  return x + swatch + 6 + chart_text_width(cr, name) + gap;
}

/* base: the base line of its text. */
static void draw_legend(const struct chart *chart, cairo_t *cr, double x, double base) {
  for (guint s = 0; s < chart->series_count; s++) {
    draw_box(cr, x, base - 9, swatch, 10, s);
    x = draw_entry(cr, chart->series[s], x, base);
  }
  if (chart->reference) {
    set_dashes(cr, TRUE);
    line(cr, x, base - 4, x + swatch, base - 4);
    cairo_stroke(cr);
    set_dashes(cr, FALSE);
    x = draw_entry(cr, chart->reference_name, x, base);
  }
  if (chart->whisker_name) {
    draw_whisker(cr, x + swatch / 2, (const struct whisker_end[]){{base - 9, TRUE}, {base + 1, TRUE}});
    draw_entry(cr, chart->whisker_name, x, base);
  }
}

void chart_draw(const struct chart *chart, cairo_t *cr) {
  struct layout layout;
  cairo_set_source_rgb(cr, 1, 1, 1);
  cairo_paint(cr);
  cairo_set_line_width(cr, 1);
  chart_text_font(cr, FALSE);
  layout_init(&layout, chart, cr);
  const double middle = layout.width / 2, cell = layout.left + layout.panel_width + gap;
  const double start = floor((layout.width - layout.columns * cell + gap) / 2);
  chart_text_font(cr, TRUE);
  chart_text_draw(cr, chart->title, middle, margin + CHART_LINE, CHART_CENTRE);
  chart_text_font(cr, FALSE);
  draw_legend(chart, cr, floor(middle - legend_width(chart, cr) / 2), margin + 2 * CHART_LINE + 8);
  for (guint k = 0; k < chart->panel_count; k++)
    draw_panel(chart, &layout, cr, k, start + k % layout.columns * cell,
               head_height() + k / layout.columns * layout.row_height);
  if (chart->x_name)
    chart_text_draw(cr, chart->x_name, middle + layout.left / 2, layout.height - margin - 3, CHART_CENTRE);
  layout_clear(&layout);
}

void chart_size(const struct chart *chart, double *width, double *height) {
  cairo_surface_t *surface = cairo_recording_surface_create(CAIRO_CONTENT_COLOR, NULL);
  cairo_t *cr = cairo_create(surface);
  struct layout layout;
  chart_text_font(cr, FALSE);
  layout_init(&layout, chart, cr);
  *width = layout.width;
  *height = layout.height;
  layout_clear(&layout);
  cairo_destroy(cr);
  cairo_surface_destroy(surface);
}
