/* SPDX-License-Identifier: MIT */
/* The exact assignment against a search through all of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "measure/assignment.h"

enum { MOST = 8 };

/* The best sum of rows from `row` on, with the columns that are not taken. */
static double best_of_all(const double *score, guint rows, guint columns, guint row, guint taken) {
  double best = -(double)INFINITY;
  if (row == rows) return 0;
  for (guint c = 0; c < columns; c++) {
    if (taken & 1u << c) continue;
    const double sum = score[row * columns + c] + best_of_all(score, rows, columns, row + 1, taken | 1u << c);
    best = MAX(best, sum);
  }
  return best;
}

/* The sum of what assignment_best found; fails where a column is taken twice. */
static double found_sum(const double *score, guint rows, guint columns) {
  guint column_of[MOST], taken = 0;
  double sum = 0;
  assignment_best(score, rows, columns, column_of);
  for (guint row = 0; row < rows; row++) {
    assert_true(column_of[row] < columns);
    assert_false(taken & 1u << column_of[row]);
    taken |= 1u << column_of[row];
    sum += score[row * columns + column_of[row]];
  }
  return sum;
}

static void compare(GRand *random, guint rows, guint columns, gboolean ties) {
  double score[MOST * MOST];
  for (guint k = 0; k < rows * columns; k++)
    score[k] = ties ? g_rand_int_range(random, -2, 3) : g_rand_double_range(random, -1, 1);
  assert_float_equal(found_sum(score, rows, columns), best_of_all(score, rows, columns, 0, 0), 1e-12);
}

static void square_ones_are_as_good_as_the_best_of_all(void **state) {
  (void)state;
  g_autoptr(GRand) random = g_rand_new_with_seed(1);
  for (guint size = 1; size <= MOST; size++)
    for (guint k = 0; k < (size < MOST ? 200 : 20); k++) compare(random, size, size, k % 2);
}

static void wide_ones_are_as_good_as_the_best_of_all(void **state) {
  (void)state;
  g_autoptr(GRand) random = g_rand_new_with_seed(2);
  for (guint columns = 2; columns <= MOST; columns++)
    for (guint rows = 1; rows < columns; rows++)
      for (guint k = 0; k < 20; k++) compare(random, rows, columns, k % 2);
}

static void the_largest_first_is_not_the_best(void **state) {
  (void)state;
  static const double score[] = {0.9, 0.8, 0.8, 0.1}, negative[] = {-0.1, -0.2, -0.2, -0.9};
  assert_float_equal(found_sum(score, 2, 2), 1.6, 1e-12);
  assert_float_equal(found_sum(negative, 2, 2), -0.4, 1e-12);
}

static void no_rows_are_no_work(void **state) {
  (void)state;
  assignment_best(NULL, 0, 0, NULL);
  assignment_best(NULL, 0, 3, NULL);
}

static void all_equal_still_gives_each_its_own(void **state) {
  (void)state;
  double score[MOST * MOST];
  for (guint k = 0; k < MOST * MOST; k++) score[k] = -0.5;
  assert_float_equal(found_sum(score, MOST, MOST), -0.5 * MOST, 1e-12);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(square_ones_are_as_good_as_the_best_of_all),
      cmocka_unit_test(wide_ones_are_as_good_as_the_best_of_all),
      cmocka_unit_test(the_largest_first_is_not_the_best),
      cmocka_unit_test(no_rows_are_no_work),
      cmocka_unit_test(all_equal_still_gives_each_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
