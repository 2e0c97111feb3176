/* SPDX-License-Identifier: MIT */
/* Through the table, as a plugin calls it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/parallel.h"
#include "plugin/services.h"

enum { MOST = 64 };

static struct services services;

static int set_up(void **state) {
  (void)state;
  services_init(&services, 1);
  return 0;
}

static void run(uint32_t threads, int64_t count, void (*body)(void *data, int64_t begin, int64_t end), void *data) {
  services.table.parallel_for(&services.table, threads, count, body, data);
}

struct ranges {
  GMutex mutex;
  gint64 ends[MOST]; /* of the range that begins at an index; 0: none does */
  gboolean wrong;
};

static void note_range(void *data, int64_t begin, int64_t end) {
  struct ranges *ranges = data;
  g_mutex_lock(&ranges->mutex);
  if (begin < 0 || begin >= end || end > MOST || ranges->ends[begin])
    ranges->wrong = TRUE; /* cmocka cannot fail in this thread */
  else
    ranges->ends[begin] = end;
  g_mutex_unlock(&ranges->mutex);
}

static void ranges_cover_everything_once(void **state) {
  (void)state;
  for (uint32_t threads = 0; threads <= 9; threads++)
    for (int64_t count = 0; count <= MOST; count++) {
      struct ranges ranges = {0};
      guint calls = 0;
      run(threads, count, note_range, &ranges);
      assert_false(ranges.wrong);
      for (int64_t begin = 0; begin < count; begin = ranges.ends[begin], calls++) {
        const int64_t length = ranges.ends[begin] - begin;
        assert_in_range(length, count / MAX(threads, 1), count / MAX(threads, 1) + 1);
      }
      assert_int_equal(calls, MIN(count, MAX(threads, 1)));
    }
}

static void a_negative_count_is_nothing(void **state) {
  (void)state;
  struct ranges ranges = {0};
  run(4, -1, note_range, &ranges);
  assert_false(ranges.wrong);
  assert_int_equal(ranges.ends[0], 0);
}

static void add_length(void *data, int64_t begin, int64_t end) {
  gint64 *lengths = data;
  g_atomic_pointer_add(lengths, end - begin);
}

static void huge_numbers_do_not_overflow(void **state) {
  (void)state;
  gint64 total = 0;
  run(UINT32_MAX, INT64_MAX, add_length, &total);
  assert_true(total == INT64_MAX);
}

/* Everybody who enters waits until `wanted` are inside: passes only when that many threads are there at once. */
struct gathering {
  GMutex mutex;
  GCond changed;
  guint inside, wanted;
};

static void gather(void *data, int64_t begin, int64_t end) {
  struct gathering *gathering = data;
  const gint64 limit = g_get_monotonic_time() + 20 * G_TIME_SPAN_SECOND;
  (void)begin, (void)end;
  g_mutex_lock(&gathering->mutex);
  gathering->inside++;
  g_cond_broadcast(&gathering->changed);
  while (gathering->inside < gathering->wanted)
    if (!g_cond_wait_until(&gathering->changed, &gathering->mutex, limit)) break;
  g_mutex_unlock(&gathering->mutex);
}

static void really_uses_that_many_threads(void **state) {
  (void)state;
  for (guint threads = 1; threads <= 12; threads++) {
    struct gathering gathering = {.wanted = threads};
    const gint64 start = g_get_monotonic_time();
    run(threads, 100, gather, &gathering);
    assert_int_equal(gathering.inside, threads);
    assert_true(g_get_monotonic_time() - start < 10 * G_TIME_SPAN_SECOND);
  }
}

static void add_up(void *data, int64_t begin, int64_t end) {
  gint *sum = data;
  for (int64_t k = begin; k < end; k++) g_atomic_int_add(sum, (gint)k);
}

static gpointer call_often(gpointer data) {
  (void)data;
  for (guint round = 0; round < 500; round++) {
    gint sum = 0;
    run(1 + round % 5, 100, add_up, &sum);
    if (sum != 4950) return GINT_TO_POINTER(sum);
  }
  return NULL;
}

static void several_threads_call_it_at_once(void **state) {
  (void)state;
  GThread *threads[6];
  for (gsize k = 0; k < G_N_ELEMENTS(threads); k++) threads[k] = g_thread_new("caller", call_often, NULL);
  for (gsize k = 0; k < G_N_ELEMENTS(threads); k++) assert_null(g_thread_join(threads[k]));
}

static gpointer gather_two(gpointer data) {
  run(2, 2, gather, data);
  return NULL;
}

/* Four callers with two threads each, none of which ends before all eight are inside. */
static void callers_do_not_wait_for_one_another(void **state) {
  (void)state;
  struct gathering gathering = {.wanted = 8};
  const gint64 start = g_get_monotonic_time();
  GThread *threads[4];
  for (gsize k = 0; k < G_N_ELEMENTS(threads); k++) threads[k] = g_thread_new("caller", gather_two, &gathering);
  for (gsize k = 0; k < G_N_ELEMENTS(threads); k++) g_thread_join(threads[k]);
  assert_int_equal(gathering.inside, 8);
  assert_true(g_get_monotonic_time() - start < 10 * G_TIME_SPAN_SECOND);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ranges_cover_everything_once),    cmocka_unit_test(a_negative_count_is_nothing),
      cmocka_unit_test(huge_numbers_do_not_overflow),    cmocka_unit_test(really_uses_that_many_threads),
      cmocka_unit_test(several_threads_call_it_at_once), cmocka_unit_test(callers_do_not_wait_for_one_another),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
