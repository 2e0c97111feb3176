/* SPDX-License-Identifier: MIT */
/*
 * Every text of a chart is read from the pixels: it is where they change when its letters are put in reverse, which
 * moves nothing else, and it looks like that text drawn alone.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "picture.h"
#include "report/chart_text.h"

enum { SCALE = 4, ALONE = 200 /* points; of a text alone */ };

enum look { PLAIN, BOLD, UPWARDS };

/* Of pixels; right and bottom are outside. */
struct box {
  int left, top, right, bottom;
};

static double centre(const struct box *box) { return (box->left + box->right) / 2.0; }

static double height(const struct box *box) { return (box->top + box->bottom) / 2.0; }

static void extend(struct box *box, int x, int y) {
  if (box->right == 0) *box = (struct box){x, y, x, y};
  box->left = MIN(box->left, x);
  box->top = MIN(box->top, y);
  box->right = MAX(box->right, x + 1);
  box->bottom = MAX(box->bottom, y + 1);
}

/* Where two pictures differ. */
static struct box difference(const struct picture *picture, const struct picture *other) {
  struct box box = {0};
  assert_true(picture->width == other->width && picture->height == other->height);
  for (int y = 0; y < picture->height; y++)
    for (int x = 0; x < picture->width; x++)
      if (picture_pixel(picture, x, y) != picture_pixel(other, x, y)) extend(&box, x, y);
  return box;
}

static struct box black_within(const struct picture *picture, const struct box *within) {
  struct box box = {0};
  for (int y = within->top; y < within->bottom; y++)
    for (int x = within->left; x < within->right; x++)
      if (picture_pixel(picture, x, y) < 0x80) extend(&box, x, y);
  return box;
}

/* shift: in points, along the line. */
static struct picture draw_alone(const char *text, enum look look, double shift) {
  struct picture alone = {SCALE * ALONE, SCALE * ALONE, NULL};
  alone.surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, alone.width, alone.height);
  cairo_t *cr = cairo_create(alone.surface);
  cairo_scale(cr, SCALE, SCALE);
  cairo_set_source_rgb(cr, 1, 1, 1);
  cairo_paint(cr);
  chart_text_font(cr, look == BOLD);
  if (look == UPWARDS)
    chart_text_draw_upwards(cr, text, ALONE / 2, ALONE / 2 - shift, CHART_CENTRE);
  else
    chart_text_draw(cr, text, ALONE / 2 + shift, ALONE / 2, CHART_CENTRE);
  cairo_destroy(cr);
  cairo_surface_flush(alone.surface);
  return alone;
}

/* How far two places of the size of `box` differ, as a share of what is black: 0 when they do not. */
static double unlikeness(const struct picture *picture, int left, int top, const struct picture *alone,
                         const struct box *box) {
  double different = 0, black = 0;
  for (int y = box->top; y < box->bottom; y++)
    for (int x = box->left; x < box->right; x++) {
      const int expected = picture_pixel(alone, x, y);
      different += abs(picture_pixel(picture, left + x - box->left, top + y - box->top) - expected);
      black += 255 - expected;
    }
  return different / black;
}

static gboolean have_one_size(const struct box *box, const struct box *other) {
  return abs(box->right - box->left - other->right + other->left) <= 2 &&
         abs(box->bottom - box->top - other->bottom + other->top) <= 2;
}

/* Letters stand at fractions of a pixel, so the text is tried at quarters and a pixel to each side. */
static double unlike_text(const struct picture *picture, const struct box *box, const char *text, enum look look) {
  double least = INFINITY;
  for (guint quarter = 0; quarter < 4; quarter++) {
    struct picture alone = draw_alone(text, look, quarter / (4.0 * SCALE));
    const struct box all = {0, 0, alone.width, alone.height}, letters = black_within(&alone, &all);
    for (int y = -1; y <= 1; y++)
      for (int x = -1; x <= 1; x++)
        if (have_one_size(box, &letters))
          least = MIN(least, unlikeness(picture, box->left + x, box->top + y, &alone, &letters));
    picture_clear(&alone);
  }
  return least;
}

static void check_text(const struct picture *picture, const struct box *box, const char *text, enum look look) {
  const double unlike = unlike_text(picture, box, text, look);
  if (!(unlike <= 0.1)) fail_msg("'%s' is not what stands there, by %g", text, unlike);
}

/* Where a text of the chart, one of its pointers, stands. */
static struct box find_text(const struct chart *chart, const char **text, enum look look) {
  const char *const kept = *text;
  g_autofree char *reverse = g_utf8_strreverse(kept, -1);
  struct picture picture = picture_draw(chart, SCALE);
  *text = reverse;
  struct picture other = picture_draw(chart, SCALE);
  *text = kept;
  struct box box = difference(&picture, &other);
  box = black_within(&picture, &box);
  if (box.right == 0) fail_msg("'%s' is nowhere", kept);
  check_text(&picture, &box, kept, look);
  picture_clear(&picture);
  picture_clear(&other);
  return box;
}

static void assert_near(double place, double expected, double points) {
  if (!(fabs(place - expected) <= points * SCALE)) fail_msg("at %g, expected %g", place, expected);
}

/* Bar k of a chart whose bars are `bars`: what goes when it is half as tall. */
static struct box find_bar(const struct chart *chart, struct chart_bar *bars, guint k) {
  struct picture picture = picture_draw(chart, SCALE);
  bars[k].value /= 2;
  struct picture other = picture_draw(chart, SCALE);
  bars[k].value *= 2;
  const struct box box = difference(&picture, &other);
  picture_clear(&picture);
  picture_clear(&other);
  return box;
}

static void titles_stand_above_what_they_name(void **state) {
  (void)state;
  const char *titles[] = {"left", "right"};
  struct chart_bar bars[] = {{100, (double)NAN}, {100, (double)NAN}};
  struct chart chart = picture_chart(bars, 1);
  chart.panels = titles, chart.panel_count = 2;
  const struct box title = find_text(&chart, &chart.title, BOLD);
  for (guint k = 0; k < 2; k++) {
    const struct box name = find_text(&chart, &titles[k], PLAIN), bar = find_bar(&chart, bars, k);
    assert_near(centre(&name), centre(&bar), 2);
    assert_in_range(name.top, title.bottom, bar.top - (name.bottom - name.top));
  }
}

static void axes_have_their_names(void **state) {
  (void)state;
  struct chart_bar bars[] = {{100, (double)NAN}};
  struct chart chart = picture_chart(bars, 1);
  chart.x_name = "noise (dB)";
  const char *categories[] = {"low"};
  chart.categories = categories;
  const struct box y = find_text(&chart, &chart.y_name, UPWARDS), x = find_text(&chart, &chart.x_name, PLAIN);
  const struct box category = find_text(&chart, categories, PLAIN), bar = find_bar(&chart, bars, 0);
  assert_near(height(&y), bar.bottom, 4); /* the lower half of the bar did not change */
  assert_near(centre(&x), centre(&bar), 2);
  assert_true(y.right < bar.left && x.top > category.bottom);
}

static void check_categories(const char **categories, enum look look) {
  struct chart_bar bars[] = {{20, (double)NAN}, {40, (double)NAN}, {100, (double)NAN}};
  struct chart chart = picture_chart(bars, 3);
  chart.categories = categories;
  for (guint k = 0; k < 3; k++) {
    const struct box name = find_text(&chart, &categories[k], look), bar = find_bar(&chart, bars, k);
    assert_near(centre(&name), centre(&bar), 2);
    assert_true(name.top > bar.bottom);
  }
}

static void bars_have_their_categories_below(void **state) {
  (void)state;
  check_categories((const char *[]){"cat", "dog", "ship"}, PLAIN);
  check_categories((const char *[]){"incomprehensibilities", "interchangeability", "compatibilities"}, UPWARDS);
}

/* Beside the name of an entry of the legend. */
static void check_swatch(const struct chart *chart, const struct box *name) {
  struct picture picture = picture_draw(chart, SCALE);
  const struct box beside = {name->left - 21 * SCALE, name->top, name->left - 5 * SCALE, name->bottom};
  assert_true(black_within(&picture, &beside).right > 0);
  picture_clear(&picture);
}

static void the_legend_names_all_that_is_drawn(void **state) {
  (void)state;
  const struct chart_bar bars[] = {{20, 3}, {40, 5}};
  const double heights[] = {10};
  const char *series[] = {"own", "swap"};
  struct chart chart = picture_chart(bars, 1);
  chart.series = series, chart.series_count = 2;
  chart.reference = heights, chart.reference_name = "chance", chart.whisker_name = "± deviation";
  const char **const names[] = {&series[0], &series[1], &chart.reference_name, &chart.whisker_name};
  int left = 0;
  for (guint k = 0; k < G_N_ELEMENTS(names); k++) {
    const struct box name = find_text(&chart, names[k], PLAIN);
    check_swatch(&chart, &name);
    assert_true(name.left > left);
    left = name.right;
  }
}

/* The next rows of the columns of `within` that have black, from its top on. */
static struct box next_line(const struct picture *picture, const struct box *within) {
  struct box row = *within, line = {0};
  for (; row.top < within->bottom; row.top++) {
    row.bottom = row.top + 1;
    const struct box black = black_within(picture, &row);
    if (black.right == 0 && line.right > 0) break;
    if (black.right == 0) continue;
    extend(&line, black.left, row.top);
    extend(&line, black.right - 1, row.top);
  }
  return line;
}

/* Where the numbers of a scale from 0 to 100 stand: what another scale changes. */
static struct box scale_columns(const struct chart *chart, const struct picture *picture) {
  const struct chart_bar higher[] = {{25, (double)NAN}, {50, (double)NAN}, {125, (double)NAN}};
  struct chart changed = *chart;
  changed.bars = higher, changed.most = 125, changed.tick = 25;
  struct picture other = picture_draw(&changed, SCALE);
  struct box columns = difference(picture, &other);
  columns.bottom = picture->height;
  picture_clear(&other);
  return columns;
}

/* At the right of its number. */
static void check_tick(const struct picture *picture, const struct box *number) {
  const int y = (int)height(number);
  const struct box beside = {number->right + 2 * SCALE, y - SCALE, number->right + 6 * SCALE, y + SCALE};
  assert_true(black_within(picture, &beside).right > 0);
}

static void every_tick_has_its_number(void **state) {
  (void)state;
  static const char *const numbers[] = {"100", "80", "60", "40", "20", "0"};
  static const int bar_of[] = {2, -1, -1, 1, 0, -1};
  struct chart_bar bars[] = {{20, (double)NAN}, {40, (double)NAN}, {100, (double)NAN}};
  const struct chart chart = picture_chart(bars, 3);
  struct picture picture = picture_draw(&chart, SCALE);
  struct box rest = scale_columns(&chart, &picture);
  for (guint k = 0; k < G_N_ELEMENTS(numbers); k++) {
    const struct box number = next_line(&picture, &rest);
    check_text(&picture, &number, numbers[k], PLAIN);
    check_tick(&picture, &number);
    if (bar_of[k] >= 0) assert_near(height(&number), find_bar(&chart, bars, (guint)bar_of[k]).top, 2);
    rest.top = number.bottom;
  }
  assert_int_equal(next_line(&picture, &rest).right, 0);
  picture_clear(&picture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(titles_stand_above_what_they_name), cmocka_unit_test(axes_have_their_names),
      cmocka_unit_test(bars_have_their_categories_below),  cmocka_unit_test(the_legend_names_all_that_is_drawn),
      cmocka_unit_test(every_tick_has_its_number),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
