/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/table.h"

static void cross_table_has_extractors_down_and_heads_across(void **state) {
  (void)state;
  static const char *const names[] = {"a", "zoë"};
  const double accuracy[] = {0.8, 0.1234, (double)NAN, 1};
  g_autoptr(GString) out = g_string_new(NULL);
  report_cross(out, names, 2, accuracy);
  assert_string_equal(out->str, "extractor      head a    head zoë\n"
                                "a               80.0%       12.3%\n"
                                "zoë                 -      100.0%\n");
}

static void similarity_has_a_line_a_pair(void **state) {
  (void)state;
  const struct report_pair pairs[] = {
      {"a", "zoë", NULL, 0.0213, -0.5, 1, {0, 0}},
      {"a", "c", "c", (double)NAN, -0.0004, 0.25, {0, 0}},
  };
  g_autoptr(GString) out = g_string_new(NULL);
  report_similarity(out, pairs, 2);
  assert_string_equal(out->str, "features               correlation   after matching     CKA\n"
                                "a and zoë                    0.021           -0.500   1.000\n"
                                "a and c, images of c             -            0.000   0.250\n");
}

static void similarity_counts_dead_channels_where_there_are_some(void **state) {
  (void)state;
  const struct report_pair pairs[] = {{"a", "b", NULL, 0.5, 0.5, 0.5, {0, 12}}};
  g_autoptr(GString) out = g_string_new(NULL);
  report_similarity(out, pairs, 0);
  assert_string_equal(out->str, "");
  report_similarity(out, pairs, 1);
  assert_string_equal(out->str, "features   correlation   after matching     CKA   dead channels\n"
                                "a and b          0.500            0.500   0.500        0 and 12\n");
}

static void comparison_lines_up(void **state) {
  (void)state;
  const struct report_row rows[] = {{"independent", 0.795, 0.096, 0.1, 0}, {"one", 0.5, (double)NAN, 0.1, (double)NAN}};
  g_autoptr(GString) out = g_string_new(NULL);
  report_comparison(out, rows, 2);
  assert_string_equal(out->str, "experiment     own accuracy   swap accuracy    chance\n"
                                "independent           79.5%            9.6%     10.0%\n"
                                "one                   50.0%               -     10.0%\n");
}

static char *verdict(const struct report_row *rows, guint count) {
  GString *out = g_string_new(NULL);
  report_verdict(out, rows, count);
  return g_string_free(out, FALSE);
}

static void verdict_says_what_each_head_keeps(void **state) {
  (void)state;
  const struct report_row rows[] = {{"apart", 0.8, 0.09, 0.1, 0}, {"together", 0.9, 0.7, 0.1, 0.75}};
  g_autofree char *text = verdict(rows, 2);
  assert_string_equal(text, "Of its accuracy above chance, a head keeps on the other network's extractor: apart 0%, "
                            "together 75%.\n");
}

static void verdict_of_nothing_learned_or_nothing_swapped(void **state) {
  (void)state;
  const struct report_row chance[] = {{"idle", 0.1, 0.1, 0.1, (double)NAN}},
                          single[] = {{"one", 0.8, (double)NAN, 0.1, (double)NAN}};
  g_autofree char *idle = verdict(chance, 1), *one = verdict(single, 1);
  assert_string_equal(idle, "Of its accuracy above chance, a head keeps on the other network's extractor: idle nothing "
                            "(its own accuracy is at chance).\n");
  assert_string_equal(one, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cross_table_has_extractors_down_and_heads_across),
      cmocka_unit_test(similarity_has_a_line_a_pair),
      cmocka_unit_test(similarity_counts_dead_channels_where_there_are_some),
      cmocka_unit_test(comparison_lines_up),
      cmocka_unit_test(verdict_says_what_each_head_keeps),
      cmocka_unit_test(verdict_of_nothing_learned_or_nothing_swapped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
