/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "base/nearest.h"

static const char *const names[] = {"epochs", "batch", "schedule", "weight_decay"};

static void finds_a_misspelled_name(void **state) {
  (void)state;
  assert_string_equal(nearest_name("epoch", names, 4), "epochs");
  assert_string_equal(nearest_name("scheduel", names, 4), "schedule");
  assert_string_equal(nearest_name("weight-decay", names, 4), "weight_decay");
}

static void finds_nothing_far_away(void **state) {
  (void)state;
  assert_null(nearest_name("colour", names, 4));
  assert_null(nearest_name("", names, 4));
}

static void survives_a_name_of_a_megabyte(void **state) {
  (void)state;
  g_autofree char *huge = g_strnfill(1 << 20, 'x');
  assert_null(nearest_name(huge, names, 4));
}

static void hint_lists_what_is_known(void **state) {
  (void)state;
  g_autofree char *near = nearest_hint("bach", names, 4);
  assert_string_equal(near, "; did you mean 'batch'?");
  g_autofree char *far = nearest_hint("colour", names, 4);
  assert_string_equal(far, "; known: epochs, batch, schedule, weight_decay");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_a_misspelled_name),
      cmocka_unit_test(finds_nothing_far_away),
      cmocka_unit_test(survives_a_name_of_a_megabyte),
      cmocka_unit_test(hint_lists_what_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
