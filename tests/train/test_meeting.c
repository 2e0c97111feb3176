/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "train/meeting.h"

enum { MEMBERS = 5, ROUNDS = 2000 };

struct shared {
  struct meeting meeting;
  guint arrived; /* atomically */
  guint tasks;   /* only in the task */
  guint stop_at; /* the task that fails; 0: none */
  gboolean early;
};

static gboolean count_task(gpointer data) {
  struct shared *shared = data;
  if ((guint)g_atomic_int_get(&shared->arrived) != (shared->tasks + 1) * MEMBERS) shared->early = TRUE;
  return ++shared->tasks != shared->stop_at;
}

static gpointer member(gpointer data) {
  struct shared *shared = data;
  guint rounds = 0;
  for (; rounds < ROUNDS; rounds++) {
    g_atomic_int_inc(&shared->arrived);
    if (!meeting_wait(&shared->meeting, count_task, shared)) break;
  }
  return GUINT_TO_POINTER(rounds);
}

static void run_members(struct shared *shared, guint rounds[MEMBERS]) {
  GThread *threads[MEMBERS];
  meeting_init(&shared->meeting, MEMBERS);
  for (guint k = 0; k < MEMBERS; k++) threads[k] = g_thread_new("member", member, shared);
  for (guint k = 0; k < MEMBERS; k++) rounds[k] = GPOINTER_TO_UINT(g_thread_join(threads[k]));
  meeting_finish(&shared->meeting);
}

static void task_runs_once_a_round_when_all_are_there(void **state) {
  (void)state;
  struct shared shared = {0};
  guint rounds[MEMBERS];
  run_members(&shared, rounds);
  for (guint k = 0; k < MEMBERS; k++) assert_int_equal(rounds[k], ROUNDS);
  assert_int_equal(shared.tasks, ROUNDS);
  assert_false(shared.early);
}

static void a_failed_task_ends_it_for_all(void **state) {
  (void)state;
  struct shared shared = {.stop_at = 7};
  guint rounds[MEMBERS];
  run_members(&shared, rounds);
  for (guint k = 0; k < MEMBERS; k++) assert_int_equal(rounds[k], 6);
}

static gpointer wait_once(gpointer data) { return GINT_TO_POINTER(meeting_wait(data, NULL, NULL)); }

static void cancelling_wakes_those_who_wait(void **state) {
  (void)state;
  struct meeting meeting;
  meeting_init(&meeting, 2);
  GThread *thread = g_thread_new("waiting", wait_once, &meeting);
  g_usleep(10000);
  meeting_cancel(&meeting);
  assert_false(GPOINTER_TO_INT(g_thread_join(thread)));
  assert_false(meeting_wait(&meeting, NULL, NULL));
  meeting_finish(&meeting);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(task_runs_once_a_round_when_all_are_there),
      cmocka_unit_test(a_failed_task_ends_it_for_all),
      cmocka_unit_test(cancelling_wakes_those_who_wait),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
