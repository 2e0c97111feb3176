/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

static void assert_line(const char *text, const char *wanted) {
  g_autofree char *line = text_line(text);
  assert_string_equal(line, wanted);
  assert_true(text_is_line(line));
}

static void a_line_stays_as_it_is(void **state) {
  (void)state;
  assert_line("", "");
  assert_line("3 × 4 “dög”", "3 × 4 “dög”");
}

static void control_characters_become_spaces(void **state) {
  (void)state;
  assert_line("one\ntwo\tthree", "one two three");
  assert_line("\033[31mred\177", " [31mred ");
  assert_line("\302\233m", " m"); /* U+009B begins a sequence as ESC [ does */
}

static void what_is_not_utf8_is_replaced(void **state) {
  (void)state;
  assert_line("a\xff", "a\357\277\275");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_line_stays_as_it_is),
      cmocka_unit_test(control_characters_become_spaces),
      cmocka_unit_test(what_is_not_utf8_is_replaced),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
