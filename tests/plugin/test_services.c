/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/services.h"

static void memory_is_aligned_and_writable(void **state) {
  (void)state;
  struct services services;
  services_init(&services, 1);
  const struct dvt_host *host = &services.table;
  for (size_t size = 1; size <= 1 << 20; size *= 3) {
    void *memory = host->allocate(host, size);
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % 64, 0);
    memset(memory, 0xa5, size);
    host->release(host, memory);
  }
}

static void impossible_memory_is_null(void **state) {
  (void)state;
  struct services services;
  services_init(&services, 1);
  const struct dvt_host *host = &services.table;
  assert_null(host->allocate(host, 0));
  assert_null(host->allocate(host, SIZE_MAX));
  host->release(host, NULL);
}

struct line {
  enum dvt_level level;
  char *text;
};

static void keep_line(void *data, enum dvt_level level, const char *message) {
  struct line *line = data;
  line->level = level;
  line->text = g_strdup(message);
}

static void log_goes_where_it_is_sent(void **state) {
  (void)state;
  struct services services;
  struct line line = {0};
  services_init(&services, 1);
  services.log = keep_line;
  services.log_data = &line;
  services.table.log(&services.table, DVT_LOG_WARNING, "100% of it");
  assert_int_equal(line.level, DVT_LOG_WARNING);
  assert_string_equal(line.text, "100% of it");
  g_free(line.text);
}

static void keep_glib_line(const char *domain, GLogLevelFlags level, const char *message, gpointer data) {
  assert_string_equal(domain, "dovetail");
  assert_int_equal(level, G_LOG_LEVEL_INFO);
  keep_line(data, DVT_LOG_INFO, message);
}

static void log_goes_to_glib_otherwise(void **state) {
  (void)state;
  struct services services;
  struct line line = {0};
  services_init(&services, 1);
  const guint handler = g_log_set_handler("dovetail", G_LOG_LEVEL_MASK, keep_glib_line, &line);
  services.table.log(&services.table, DVT_LOG_INFO, "100% of it");
  g_log_remove_handler("dovetail", handler);
  assert_string_equal(line.text, "100% of it");
  g_free(line.text);
}

/* Four words of a stream "s" for a seed and an owner. */
static void draw(guint64 seed, const char *owner, uint32_t words[4]) {
  struct services services;
  services_init(&services, seed);
  services.owner = owner;
  services.table.random(&services.table, "s", 2, 3, words, 4);
}

static void random_depends_on_seed_and_owner(void **state) {
  (void)state;
  uint32_t words[4], others[4];
  draw(1, "aligner/a", words);
  draw(1, "aligner/a", others);
  assert_memory_equal(words, others, sizeof words);
  draw(2, "aligner/a", others);
  assert_memory_not_equal(words, others, sizeof words);
  draw(1, "aligner/b", others);
  assert_memory_not_equal(words, others, sizeof words);
  draw(1, NULL, others);
  assert_memory_not_equal(words, others, sizeof words);
}

static void table_says_its_version_and_size(void **state) {
  (void)state;
  struct services services;
  services_init(&services, 1);
  assert_int_equal(services.table.struct_size, sizeof(struct dvt_host));
  assert_int_equal(services.table.abi_major, DVT_ABI_MAJOR);
  assert_int_equal(services.table.abi_minor, DVT_ABI_MINOR);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_aligned_and_writable),   cmocka_unit_test(impossible_memory_is_null),
      cmocka_unit_test(log_goes_where_it_is_sent),        cmocka_unit_test(log_goes_to_glib_otherwise),
      cmocka_unit_test(random_depends_on_seed_and_owner), cmocka_unit_test(table_says_its_version_and_size),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
