/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "base/error.h"
#include "base/guard.h"

static void memory_is_aligned_and_zero(void **state) {
  (void)state;
  for (gsize count = 0; count < 40; count++) {
    float *memory = guard_floats(count, NULL);
    assert_int_equal((uintptr_t)memory % 64, 0);
    for (gsize k = 0; k < count; k++) assert_true(memory[k] == 0);
    assert_true(guard_intact(memory));
    guard_free(memory);
  }
}

static void all_of_it_may_be_written(void **state) {
  (void)state;
  float *memory = guard_floats(17, NULL);
  for (gsize k = 0; k < 17; k++) memory[k] = 1;
  assert_true(guard_intact(memory));
  guard_free(memory);
}

static void one_byte_past_an_end_is_seen(void **state) {
  (void)state;
  const int places[] = {-64, -1, 17 * sizeof(float), 17 * sizeof(float) + 63};
  for (gsize k = 0; k < G_N_ELEMENTS(places); k++) {
    float *memory = guard_floats(17, NULL);
    ((char *)memory)[places[k]] ^= 1;
    assert_false(guard_intact(memory));
    guard_free(memory);
  }
}

static void too_much_is_an_error(void **state) {
  (void)state;
  const gsize counts[] = {G_MAXSIZE, G_MAXSIZE - 47, G_MAXSIZE / sizeof(float)};
  for (gsize k = 0; k < G_N_ELEMENTS(counts); k++) {
    g_autoptr(GError) error = NULL;
    assert_null(guard_floats(counts[k], &error));
    assert_non_null(error);
  }
  guard_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_aligned_and_zero),
      cmocka_unit_test(all_of_it_may_be_written),
      cmocka_unit_test(one_byte_past_an_end_is_seen),
      cmocka_unit_test(too_much_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
