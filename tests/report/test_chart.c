/* SPDX-License-Identifier: MIT */
/* What is drawn is read back from the pixels: bars of the first series are of a grey that nothing else has. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "picture.h"
#include "report/chart_file.h"
#include "report/chart_text.h"
#include "scratch.h"

enum { SCALE = 2, GREY = 0xc7, SHORTEST = 8, BARS_MOST = 64 }; /* the edges of letters have short runs of grey */

/* A column of the picture: where its longest run of the bars' grey is, below the legend. */
static int grey_run(const struct picture *picture, int x, int *top) {
  int longest = 0, length = 0;
  for (int y = SCALE * 50; y < picture->height; y++) {
    length = picture_pixel(picture, x, y) == GREY ? length + 1 : 0;
    if (length > longest) longest = length, *top = y - length + 1;
  }
  return longest;
}

struct found {
  int x, top, height; /* of the middle; pixels */
};

/* The grey bars from left to right: neighbouring columns that have some grey. */
static guint find_bars(const struct picture *picture, struct found *bars) {
  guint count = 0;
  int start = -1, top;
  for (int x = 0; x < picture->width; x++) {
    const gboolean grey = grey_run(picture, x, &top) >= SHORTEST;
    if (grey && start < 0) start = x;
    if (grey || start < 0) continue;
    assert_true(count < BARS_MOST);
    /* a quarter of the way, where no whisker is */
    bars[count].x = (start + x) / 2;
    bars[count].height = grey_run(picture, start + (x - start) / 4, &bars[count].top);
    count++;
    start = -1;
  }
  return count;
}

/* In pixels; from the tallest bar of `picture_bars`, which is 100. */
static double unit(void) {
  const struct chart chart = picture_chart(picture_bars, 3);
  struct picture picture = picture_draw(&chart, SCALE);
  struct found bars[BARS_MOST];
  assert_int_equal(find_bars(&picture, bars), 3);
  picture_clear(&picture);
  return (bars[2].height + SCALE) / 100.0; /* half of the outline is inside, at both ends */
}

static void bars_are_as_tall_as_their_values(void **state) {
  (void)state;
  const double percent = unit();
  const struct chart_bar values[] = {
      {80.5, (double)NAN}, {(double)NAN, (double)NAN}, {9.6, (double)NAN}, {50, (double)NAN}};
  const struct chart chart = picture_chart(values, 4);
  struct picture picture = picture_draw(&chart, SCALE);
  struct found bars[BARS_MOST];
  assert_int_equal(find_bars(&picture, bars), 3);
  assert_true(fabs(bars[0].height + SCALE - 80.5 * percent) < 1.5);
  assert_true(fabs(bars[1].height + SCALE - 9.6 * percent) < 1.5);
  assert_true(fabs(bars[2].height + SCALE - 50 * percent) < 1.5);
  assert_true(abs(bars[0].top + bars[0].height - bars[1].top - bars[1].height) <= 1);
  picture_clear(&picture);
}

static void negative_bars_hang_from_zero(void **state) {
  (void)state;
  const struct chart_bar values[] = {{0.5, (double)NAN}, {-0.25, (double)NAN}};
  struct chart chart = picture_chart(values, 2);
  chart.least = -0.4, chart.most = 1, chart.tick = 0.2;
  struct picture picture = picture_draw(&chart, SCALE);
  struct found bars[BARS_MOST];
  assert_int_equal(find_bars(&picture, bars), 2);
  assert_true(abs(bars[1].top - (bars[0].top + bars[0].height)) <= SCALE + 1);
  assert_true(fabs((bars[0].height + SCALE) / (bars[1].height + (double)SCALE) - 2) < 0.05);
  picture_clear(&picture);
}

/* How far black goes up from the top of a bar in its middle, the outline included. */
static int black_above(const struct picture *picture, const struct found *bar) {
  int length = 0;
  while (picture_pixel(picture, bar->x, bar->top - 1 - length) < 0x40) length++;
  return length;
}

static void whiskers_are_as_long_as_the_deviation(void **state) {
  (void)state;
  const double percent = unit();
  const struct chart_bar values[] = {{50, 12}, {50, (double)NAN}, {95, 20}};
  const struct chart chart = picture_chart(values, 3);
  struct picture picture = picture_draw(&chart, SCALE);
  struct found bars[BARS_MOST];
  assert_int_equal(find_bars(&picture, bars), 3);
  /* Where the whisker ends, half of the cap is outside; where the bar ends, half of the outline is above the value. */
  assert_true(fabs(black_above(&picture, &bars[0]) - 12 * percent - SCALE) <= 2);
  assert_true(black_above(&picture, &bars[1]) <= SCALE + 1);
  assert_true(fabs(black_above(&picture, &bars[2]) - 5 * percent - SCALE) <= 2);
  picture_clear(&picture);
}

/* The longest black line across the middle of a bar, in rows [from, to). */
static int widest_black(const struct picture *picture, const struct found *bar, int from, int to) {
  int widest = 0;
  for (int y = from; y < to; y++) {
    int left = bar->x, right = bar->x;
    while (picture_pixel(picture, left - 1, y) < 0x40) left--;
    while (picture_pixel(picture, right, y) < 0x40) right++;
    widest = MAX(widest, right - left);
  }
  return widest;
}

/* From where its whisker ends. */
static gboolean capped_above(const struct picture *picture, const struct found *bar) {
  const int end = bar->top - black_above(picture, bar);
  return widest_black(picture, bar, end, end + 2 * SCALE) > 4 * SCALE;
}

static gboolean capped_below(const struct picture *picture, const struct found *bar) {
  int end = bar->top + bar->height;
  while (picture_pixel(picture, bar->x, end) < 0x40) end++;
  return widest_black(picture, bar, end - 2 * SCALE, end) > 4 * SCALE;
}

static void whiskers_have_caps_where_they_end_and_none_where_they_are_cut(void **state) {
  (void)state;
  const struct chart_bar values[] = {{80, 12}, {80, 30}, {-15, 4}, {-15, 10}};
  struct chart chart = picture_chart(values, 4);
  chart.least = -20;
  struct picture picture = picture_draw(&chart, SCALE);
  struct found bars[BARS_MOST];
  assert_int_equal(find_bars(&picture, bars), 4);
  assert_true(capped_above(&picture, &bars[0]));
  assert_false(capped_above(&picture, &bars[1]));
  assert_true(capped_below(&picture, &bars[2]));
  assert_false(capped_below(&picture, &bars[3]));
  picture_clear(&picture);
}

static void the_reference_line_is_dashed_and_at_its_height(void **state) {
  (void)state;
  const struct chart_bar values[] = {{(double)NAN, (double)NAN}, {60, (double)NAN}};
  const double heights[] = {30, 30};
  struct chart chart = picture_chart(values, 2);
  chart.reference = heights, chart.reference_name = "chance";
  struct picture picture = picture_draw(&chart, SCALE);
  struct found bars[BARS_MOST];
  int black = 0, changes = 0;
  const double percent = unit();
  const struct chart plain = picture_chart(values, 2);
  struct picture without = picture_draw(&plain, SCALE);
  assert_int_equal(find_bars(&without, bars), 1);
  const int y = bars[0].top + bars[0].height + SCALE / 2 - (int)lround(30 * percent);
  for (int x = bars[0].x - 100; x < bars[0].x + 60; x++) {
    const gboolean dark = picture_pixel(&picture, x, y) < 0x40;
    black += dark;
    changes += dark != (picture_pixel(&picture, x - 1, y) < 0x40);
  }
  assert_in_range(black, 70, 130); /* five points of eight are black */
  assert_in_range(changes, 15, 25);
  picture_clear(&picture);
  picture_clear(&without);
}

static void every_panel_has_its_bars(void **state) {
  (void)state;
  static const char *const titles[] = {"one", "two", "three"};
  struct chart_bar values[3 * 3 * 2];
  for (guint k = 0; k < G_N_ELEMENTS(values); k++) values[k] = (struct chart_bar){10 + k, (double)NAN};
  struct chart chart = picture_chart(values, 3);
  chart.panel_count = 3, chart.panels = titles, chart.series_count = 2;
  const double percent = unit();
  double one_width, one_height, width, height;
  chart_size(&chart, &width, &height);
  struct picture picture = picture_draw(&chart, SCALE);
  struct found bars[BARS_MOST];
  /* Two panels stand in the first row, and the third below the first: a column's longer run counts. */
  assert_int_equal(find_bars(&picture, bars), 2 * 3);
  for (guint k = 0; k < 6; k++) {
    const double value = values[2 * (k < 3 ? k + 6 : k)].value;
    assert_true(fabs(bars[k].height + SCALE - value * percent) < 1.5);
  }
  picture_clear(&picture);
  chart.panel_count = 2;
  chart_size(&chart, &one_width, &one_height);
  assert_true(one_width == width && height > one_height + 200);
}

static void labels_are_wrapped_turned_or_shortened(void **state) {
  (void)state;
  cairo_surface_t *surface = cairo_recording_surface_create(CAIRO_CONTENT_COLOR, NULL);
  cairo_t *cr = cairo_create(surface);
  chart_text_font(cr, FALSE);
  const double width = chart_text_width(cr, "common-classes+");
  g_autoptr(GPtrArray) lines = chart_text_wrap(cr, "common-classes+shared-init", width, 3);
  assert_int_equal(lines->len, 2);
  assert_string_equal(lines->pdata[0], "common-classes+");
  assert_string_equal(lines->pdata[1], "shared-init");
  g_autoptr(GPtrArray) spaces = chart_text_wrap(cr, "one two", chart_text_width(cr, "one "), 3);
  assert_string_equal(spaces->pdata[0], "one");
  assert_null(chart_text_wrap(cr, "common-classes+shared-init", width, 1));
  assert_null(chart_text_wrap(cr, "indivisible", chart_text_width(cr, "indivisibl"), 3));
  g_autofree char *shorter = chart_text_shorten(cr, "ééééééé", chart_text_width(cr, "éé…"));
  assert_string_equal(shorter, "éé…");
  cairo_destroy(cr);
  cairo_surface_destroy(surface);
}

static void a_huge_label_does_not_make_a_huge_picture(void **state) {
  (void)state;
  g_autofree char *huge = g_strnfill(2000, 'x');
  const char *const labels[] = {huge, "b", "c"}, *const titles[] = {huge};
  struct chart chart = picture_chart(picture_bars, 3);
  chart.categories = labels, chart.panels = titles;
  double width, height;
  chart_size(&chart, &width, &height);
  assert_true(width < 1000 && height < 700);
  struct picture picture = picture_draw(&chart, SCALE);
  picture_clear(&picture);
}

static void on_element(GMarkupParseContext *context, const char *name, const char **names, const char **values,
                       gpointer data, GError **error) {
  (void)context, (void)error;
  if (!strcmp(name, "svg")) assert_string_equal(names[0], "xmlns"), assert_non_null(values[0]);
  *(guint *)data += !strcmp(name, "path");
}

static char *file_bytes(const char *path, gsize *size) {
  char *bytes;
  assert_true(g_file_get_contents(path, &bytes, size, NULL));
  return bytes;
}

static void svg_is_well_formed_and_repeats(void **state) {
  const struct chart chart = picture_chart(picture_bars, 3);
  g_autofree char *path = scratch_path(state, "x.svg"), *again = scratch_path(state, "again.svg");
  assert_true(chart_write_svg(&chart, path, NULL) && chart_write_svg(&chart, again, NULL));
  gsize size;
  guint paths = 0;
  g_autofree char *text = file_bytes(path, &size), *other = file_bytes(again, &size);
  assert_string_equal(text, other);
  const GMarkupParser parser = {.start_element = on_element};
  GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &paths, NULL);
  assert_true(g_markup_parse_context_parse(context, text, (gssize)size, NULL));
  assert_true(g_markup_parse_context_end_parse(context, NULL));
  g_markup_parse_context_free(context);
  assert_true(paths > 3 + 6); /* bars and ticks at least */
}

static void png_has_two_pixels_a_point(void **state) {
  const struct chart chart = picture_chart(picture_bars, 3);
  g_autofree char *path = scratch_path(state, "x.png");
  assert_true(chart_write_png(&chart, path, NULL));
  gsize size;
  double width, height;
  g_autofree char *bytes = file_bytes(path, &size);
  assert_memory_equal(bytes, "\x89PNG\r\n\x1a\n", 8);
  cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
  chart_size(&chart, &width, &height);
  assert_int_equal(cairo_image_surface_get_width(surface), 2 * (int)width);
  assert_int_equal(cairo_image_surface_get_height(surface), 2 * (int)height);
  cairo_surface_destroy(surface);
}

static void what_cannot_be_written_is_told(void **state) {
  const struct chart chart = picture_chart(picture_bars, 3);
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "no/x.png");
  assert_false(chart_write_png(&chart, path, &error));
  assert_int_equal(error->code, DOVETAIL_FAILED);
  assert_non_null(strstr(error->message, path));
  g_clear_error(&error);
}

static void a_wide_png_has_fewer_pixels_a_point(void **state) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "wide.png");
  g_autofree struct chart_bar *many = g_new0(struct chart_bar, 2000);
  g_autofree const char **labels = g_new(const char *, 2000);
  for (guint k = 0; k < 2000; k++) labels[k] = "x";
  struct chart wide = picture_chart(many, 2000);
  wide.categories = labels;
  assert_true(chart_write_png(&wide, path, &error));
  cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
  assert_int_equal(cairo_image_surface_get_width(surface), 32767);
  cairo_surface_destroy(surface);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bars_are_as_tall_as_their_values),
      cmocka_unit_test(negative_bars_hang_from_zero),
      cmocka_unit_test(whiskers_are_as_long_as_the_deviation),
      cmocka_unit_test(whiskers_have_caps_where_they_end_and_none_where_they_are_cut),
      cmocka_unit_test(the_reference_line_is_dashed_and_at_its_height),
      cmocka_unit_test(every_panel_has_its_bars),
      cmocka_unit_test(labels_are_wrapped_turned_or_shortened),
      cmocka_unit_test(a_huge_label_does_not_make_a_huge_picture),
      SCRATCH_TEST(svg_is_well_formed_and_repeats),
      SCRATCH_TEST(png_has_two_pixels_a_point),
      SCRATCH_TEST(a_wide_png_has_fewer_pixels_a_point),
      SCRATCH_TEST(what_cannot_be_written_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
