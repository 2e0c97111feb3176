/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "store/run.h"

static json_int_t number_of(const json_t *machine, const char *key) {
  return json_integer_value(json_object_get(machine, key));
}

static void says_what_the_kernel_says(void **state) {
  (void)state;
  json_auto_t *machine = run_machine();
  struct utsname system;
  uname(&system);
  const char *kernel = json_string_value(json_object_get(machine, "kernel"));
  assert_true(g_str_has_prefix(kernel, system.sysname));
  assert_true(g_str_has_suffix(kernel, system.release));
  assert_in_range(number_of(machine, "cores"), g_get_num_processors(), 100000);
  assert_true(strlen(json_string_value(json_object_get(machine, "cpu"))) > 0);
}

static void counts_the_memory(void **state) {
  (void)state;
  json_auto_t *machine = run_machine();
  struct sysinfo info;
  assert_int_equal(sysinfo(&info), 0);
  assert_int_equal(number_of(machine, "memory_bytes"), (json_int_t)info.totalram * info.mem_unit);
}

static gboolean lists(const json_t *list, const char *name) {
  for (size_t k = 0; k < json_array_size(list); k++)
    if (!strcmp(json_string_value(json_array_get(list, k)), name)) return TRUE;
  return FALSE;
}

/* Whole words: a processor with avx2 and no avx512f must not be said to have it. */
static void lists_the_instruction_sets_that_are_there(void **state) {
  (void)state;
  json_auto_t *machine = run_machine();
  const json_t *list = json_object_get(machine, "isa");
  g_autofree char *text = NULL;
  assert_true(json_is_array(list));
  assert_true(g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL));
  static const char *const names[] = {"sse4_1", "avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "sve"};
  for (gsize k = 0; k < G_N_ELEMENTS(names); k++) {
    g_autofree char *word = g_strdup_printf("\\b%s\\b", names[k]);
    assert_int_equal(lists(list, names[k]), g_regex_match_simple(word, text, 0, 0));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(says_what_the_kernel_says),
      cmocka_unit_test(counts_the_memory),
      cmocka_unit_test(lists_the_instruction_sets_that_are_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
