/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <math.h>
#include <sys/stat.h>

#include "plugin/choices.h"
#include "plugin/services.h"
#include "scratch.h"

static const char machine[] = "a machine";
static const char *const names[] = {"direct", "folded", "winograd"};

enum { WAYS = 3, MOST = 65 };

/* What each way takes, and how often it was measured. */
struct clock {
  double seconds[MOST];
  gint calls[MOST];
};

static double look(void *data, uint32_t way) {
  struct clock *clock = data;
  g_atomic_int_inc(&clock->calls[way]);
  return clock->seconds[way];
}

static gint calls(const struct clock *clock) {
  gint sum = 0;
  for (int way = 0; way < MOST; way++) sum += clock->calls[way];
  return sum;
}

static uint32_t choose(struct choices *choices, const char *key, struct clock *clock) {
  return choices_choose(choices, key, WAYS, names, look, clock);
}

/* What a host that knows nothing of the key chooses. */
static uint32_t choice_of(double direct, double folded, double winograd) {
  static guint key;
  g_autofree char *name = g_strdup_printf("key %u", key++);
  AUTO(choices) choices = choices_new(machine);
  struct clock clock = {.seconds = {direct, folded, winograd}};
  return choose(choices, name, &clock);
}

static char *file_path(void) { return g_build_filename(g_get_user_cache_dir(), "dovetail", "choices.json", NULL); }

static void write_file(const char *text) {
  g_autofree char *path = file_path(), *folder = g_path_get_dirname(path);
  assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
  assert_true(g_file_set_contents(path, text, -1, NULL));
}

static json_t *read_file(void) {
  g_autofree char *path = file_path();
  return json_load_file(path, 0, NULL);
}

static int make_cache(void **state) {
  if (scratch_setup(state)) return -1;
  g_setenv("XDG_CACHE_HOME", *state, TRUE); /* before GLib looks, which it does once */
  return 0;
}

/* Every case begins without a file, or a folder for it. */
static int forget(void **state) {
  (void)state;
  g_autofree char *path = file_path(), *folder = g_path_get_dirname(path);
  g_remove(path);
  g_remove(folder);
  return 0;
}

static void the_fastest_is_chosen(void **state) {
  (void)state;
  assert_int_equal(choice_of(3, 2, 1), 2);
  assert_int_equal(choice_of(3, 1, 2), 1);
  assert_int_equal(choice_of(1, 2, 3), 0);
  assert_int_equal(choice_of(0, 0, 0), 0);
}

static void a_later_way_must_be_ahead(void **state) {
  (void)state;
  assert_int_equal(choice_of(1, 0.98, 0.98), 0);
  assert_int_equal(choice_of(1, 0.96, 2), 1);
  assert_int_equal(choice_of(1, 0.96, 0.94), 1);
  assert_int_equal(choice_of(1, 0.96, 0.92), 2);
}

static void what_fails_is_not_chosen(void **state) {
  (void)state;
  assert_int_equal(choice_of(-1, 5, 9), 1);
  assert_int_equal(choice_of(-1, -1, 9), 2);
  assert_int_equal(choice_of(3, -1, 2), 2);
  assert_int_equal(choice_of(3, NAN, 4), 0);
  assert_int_equal(choice_of(NAN, 5, -1), 1);
  assert_int_equal(choice_of(INFINITY, 5, -1), 1);
}

/* A way that failed once has failed: what it takes another time does not count. */
static double fail_once(void *data, uint32_t way) {
  struct clock *clock = data;
  return clock->calls[way]++ ? 1 : clock->seconds[way];
}

static void what_failed_once_has_failed(void **state) {
  (void)state;
  AUTO(choices) choices = choices_new(machine);
  struct clock clock = {.seconds = {5, -1, NAN}};
  assert_int_equal(choices_choose(choices, "once", WAYS, names, fail_once, &clock), 0);
  assert_int_equal(clock.calls[1], 1);
  assert_int_equal(clock.calls[2], 1);
  assert_true(clock.calls[0] > 1);
}

static void where_all_fail_it_is_the_first_for_this_process(void **state) {
  (void)state;
  AUTO(choices) choices = choices_new(machine);
  AUTO(choices) later = NULL;
  struct clock failing = {.seconds = {-1, -1, -1}}, working = {.seconds = {3, 2, 1}};
  assert_int_equal(choose(choices, "all", &failing), 0);
  assert_int_equal(choose(choices, "all", &working), 0);
  assert_int_equal(calls(&working), 0);
  later = choices_new(machine);
  assert_int_equal(choose(later, "all", &working), 2);
}

static void what_was_chosen_is_recalled(void **state) {
  (void)state;
  AUTO(choices) choices = choices_new(machine);
  AUTO(choices) later = NULL;
  struct clock first = {.seconds = {3, 2, 1}}, other = {.seconds = {1, 2, 3}};
  assert_int_equal(choose(choices, "key", &first), 2);
  assert_true(calls(&first) >= WAYS);
  assert_int_equal(choose(choices, "key", &other), 2);
  later = choices_new(machine);
  assert_int_equal(choose(later, "key", &other), 2);
  assert_int_equal(calls(&other), 0);
  assert_int_equal(choose(later, "another key", &other), 0);
}

static void it_is_recalled_by_name(void **state) {
  (void)state;
  static const char *const fewer[] = {"winograd", "direct"}, *const strangers[] = {"one", "two"};
  AUTO(choices) choices = choices_new(machine);
  struct clock clock = {.seconds = {3, 2, 1}}, other = {.seconds = {2, 1}};
  assert_int_equal(choose(choices, "key", &clock), 2);
  assert_int_equal(choices_choose(choices, "key", 2, fewer, look, &other), 0);
  assert_int_equal(calls(&other), 0);
  assert_int_equal(choices_choose(choices, "key", 2, strangers, look, &other), 1);
}

static void another_machine_measures_anew(void **state) {
  (void)state;
  AUTO(choices) here = choices_new(machine);
  AUTO(choices) there = choices_new("another machine");
  AUTO(choices) odd = choices_new("a machine \xff");
  struct clock clock = {.seconds = {3, 2, 1}}, other = {.seconds = {1, 2, 3}};
  assert_int_equal(choose(here, "key", &clock), 2);
  assert_int_equal(choose(there, "key", &other), 0);
  assert_int_equal(choose(odd, "key", &other), 0);
  AUTO(choices) again = choices_new(machine);
  assert_int_equal(choose(again, "key", &other), 2);
}

static void the_file_says_what_was_measured(void **state) {
  (void)state;
  AUTO(choices) choices = choices_new(machine);
  struct clock clock = {.seconds = {0.003, -1, 0.001}};
  choose(choices, "key", &clock);
  json_auto_t *file = read_file();
  json_auto_t *expected = json_pack("{s:{s:{s:s, s:{s:f, s:f}}}}", machine, "key", "way", "winograd", "milliseconds",
                                    "direct", 3.0, "winograd", 1.0);
  assert_true(json_equal(file, expected));
}

static void a_damaged_file_is_an_empty_one(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",
      "{",
      "\xff\xfe",
      "[1, 2]",
      "{\"a machine\": {\"key\": {\"way\": \"direct\"}, \"key\": {\"way\": \"winograd\"}}}",
      "{\"a machine\": 7}",
      "{\"a machine\": [\"key\"]}",
      "{\"a machine\": {\"key\": null}}",
      "{\"a machine\": {\"key\": \"winograd\"}}",
      "{\"a machine\": {\"key\": [{\"way\": \"direct\"}]}}",
      "{\"a machine\": {\"key\": {\"way\": 2}}}",
      "{\"a machine\": {\"key\": {\"way\": \"sideways\"}}}",
  };
  for (gsize k = 0; k < G_N_ELEMENTS(texts); k++) {
    struct clock clock = {.seconds = {3, 1, 2}}, other = {.seconds = {1, 2, 3}};
    write_file(texts[k]);
    AUTO(choices) choices = choices_new(machine);
    assert_int_equal(choose(choices, "key", &clock), 1);
    assert_true(calls(&clock) >= WAYS);
    AUTO(choices) later = choices_new(machine);
    assert_int_equal(choose(later, "key", &other), 1);
    assert_int_equal(calls(&other), 0);
  }
}

static void a_pipe_in_its_place_is_not_waited_for(void **state) {
  (void)state;
  g_autofree char *path = file_path(), *folder = g_path_get_dirname(path);
  struct clock clock = {.seconds = {3, 1, 2}};
  assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
  assert_int_equal(mkfifo(path, 0600), 0);
  AUTO(choices) choices = choices_new(machine);
  assert_int_equal(choose(choices, "key", &clock), 1);
  assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
}

static void what_others_wrote_stays(void **state) {
  (void)state;
  struct clock clock = {.seconds = {3, 1, 2}};
  write_file("{\"an old machine\": {\"key\": {\"way\": \"direct\"}}, \"a machine\": {\"odd\": 3}}");
  AUTO(choices) choices = choices_new(machine);
  choose(choices, "key", &clock);
  json_auto_t *file = read_file();
  const json_t *old = json_object_get(json_object_get(file, "an old machine"), "key");
  assert_string_equal(json_string_value(json_object_get(old, "way")), "direct");
}

static void a_file_that_cannot_be_written_does_no_harm(void **state) {
  g_autofree char *in_the_way = scratch_file(state, "dovetail", "", 0);
  AUTO(choices) choices = choices_new(machine);
  struct clock clock = {.seconds = {3, 1, 2}}, other = {.seconds = {1, 2, 3}};
  assert_int_equal(choose(choices, "key", &clock), 1);
  assert_int_equal(choose(choices, "key", &other), 1);
  assert_int_equal(calls(&other), 0);
  assert_true(g_file_test(in_the_way, G_FILE_TEST_IS_REGULAR));
  g_remove(in_the_way);
}

static void two_processes_keep_what_both_measured(void **state) {
  (void)state;
  AUTO(choices) one = choices_new(machine);
  AUTO(choices) two = choices_new(machine);
  struct clock first = {.seconds = {3, 2, 1}}, second = {.seconds = {3, 1, 2}}, third = {.seconds = {1, 2, 3}};
  choose(one, "first", &first);
  choose(two, "second", &second);
  choose(one, "third", &third);
  AUTO(choices) later = choices_new(machine);
  struct clock none = {0};
  assert_int_equal(choose(later, "first", &none), 2);
  assert_int_equal(choose(later, "second", &none), 1);
  assert_int_equal(choose(later, "third", &none), 0);
  assert_int_equal(calls(&none), 0);
}

static void assert_used(struct choices *choices, json_t *expected) {
  json_auto_t *used = choices_used(choices);
  assert_non_null(expected);
  assert_true(json_equal(used, expected));
  json_decref(expected);
}

static void what_was_used_is_told(void **state) {
  (void)state;
  AUTO(choices) choices = choices_new(machine);
  struct clock clock = {.seconds = {3, 2, 1}}, other = {.seconds = {1, 2, 3}};
  assert_used(choices, json_object());
  choose(choices, "a", &clock);
  choose(choices, "b", &other);
  choose(choices, "a", &clock);
  assert_used(choices, json_pack("{s:s, s:s}", "a", "winograd", "b", "direct"));
  choices_begin(choices, NULL);
  assert_used(choices, json_object());
  const gint before = calls(&clock);
  choose(choices, "a", &clock);
  assert_used(choices, json_pack("{s:s}", "a", "winograd"));
  assert_int_equal(calls(&clock), before);
}

static void what_an_earlier_run_recorded_goes_first(void **state) {
  (void)state;
  AUTO(choices) choices = choices_new(machine);
  AUTO(choices) later = NULL;
  json_auto_t *recorded =
      json_pack("{s:s, s:s, s:s, s:i}", "a", "winograd", "new", "winograd", "gone", "sideways", "odd", 2);
  struct clock clock = {.seconds = {1, 2, 3}}, none = {.seconds = {1, 2, 3}};
  choose(choices, "a", &clock);
  choose(choices, "gone", &clock);
  choices_begin(choices, recorded);
  assert_int_equal(choose(choices, "a", &none), 2);
  assert_int_equal(choose(choices, "new", &none), 2);
  assert_int_equal(choose(choices, "gone", &none), 0);
  assert_int_equal(calls(&none), 0);
  assert_int_equal(choose(choices, "odd", &none), 0);
  assert_true(calls(&none) > 0);
  assert_used(choices,
              json_pack("{s:s, s:s, s:s, s:s}", "a", "winograd", "new", "winograd", "gone", "direct", "odd", "direct"));
  choices_begin(choices, NULL);
  assert_int_equal(choose(choices, "a", &none), 0);
  later = choices_new(machine);
  assert_int_equal(choose(later, "a", &none), 0); /* what was measured stays */
}

/* A plugin's mistake costs no more than the choice. */
static void a_question_that_is_none_gets_the_first(void **state) {
  (void)state;
  static const char *const gap[] = {"direct", NULL, "winograd"}, *const odd[] = {"direct", "\xff"};
  const char *many[MOST];
  AUTO(choices) choices = choices_new(machine);
  struct clock clock = {.seconds = {3, 2, 1}};
  for (int way = 0; way < MOST; way++) many[way] = "way";
  assert_int_equal(choices_choose(choices, "key", 0, names, look, &clock), 0);
  assert_int_equal(choices_choose(choices, "key", MOST, many, look, &clock), 0);
  assert_int_equal(choices_choose(choices, "key", UINT32_MAX, many, look, &clock), 0);
  assert_int_equal(choices_choose(choices, NULL, WAYS, names, look, &clock), 0);
  assert_int_equal(choices_choose(choices, "\xff", WAYS, names, look, &clock), 0);
  assert_int_equal(choices_choose(choices, "key", WAYS, NULL, look, &clock), 0);
  assert_int_equal(choices_choose(choices, "key", WAYS, gap, look, &clock), 0);
  assert_int_equal(choices_choose(choices, "key", 2, odd, look, &clock), 0);
  assert_int_equal(choices_choose(choices, "key", WAYS, names, NULL, &clock), 0);
  assert_int_equal(calls(&clock), 0);
  assert_used(choices, json_object());
}

static void one_way_and_sixty_four_are_fine(void **state) {
  (void)state;
  char texts[MOST][8];
  const char *many[MOST];
  struct clock clock = {0};
  AUTO(choices) choices = choices_new(machine);
  for (int way = 0; way < MOST; way++) {
    g_snprintf(texts[way], sizeof texts[way], "way %d", way);
    many[way] = texts[way];
    clock.seconds[way] = pow(0.9, way);
  }
  assert_int_equal(choices_choose(choices, "one", 1, many, look, &clock), 0);
  assert_int_equal(choices_choose(choices, "most", MOST - 1, many, look, &clock), MOST - 2);
}

enum { THREADS = 8 };

/* One of several that ask for the same. */
struct asker {
  struct choices *choices;
  struct clock *clock;
  uint32_t way;
};

/* Long enough for the others to come meanwhile. */
static double look_long(void *data, uint32_t way) {
  g_usleep(10000);
  return look(data, way);
}

static gpointer ask(gpointer data) {
  struct asker *asker = data;
  asker->way = choices_choose(asker->choices, "key", WAYS, names, look_long, asker->clock);
  return NULL;
}

static void many_threads_measure_once(void **state) {
  (void)state;
  AUTO(choices) alone = choices_new("a machine with one thread");
  AUTO(choices) choices = choices_new(machine);
  struct clock once = {.seconds = {3, 1, 2}}, clock = once;
  struct asker askers[THREADS];
  GThread *threads[THREADS];
  choose(alone, "key", &once);
  for (int k = 0; k < THREADS; k++) {
    askers[k] = (struct asker){choices, &clock, WAYS};
    threads[k] = g_thread_new("asker", ask, &askers[k]);
  }
  for (int k = 0; k < THREADS; k++) g_thread_join(threads[k]);
  for (int k = 0; k < THREADS; k++) assert_int_equal(askers[k].way, 1);
  assert_int_equal(calls(&clock), calls(&once));
}

/* What a plugin sees: without choices the first way, unmeasured; with them the fastest. */
static void the_service_passes_it_on(void **state) {
  (void)state;
  struct services services;
  struct clock clock = {.seconds = {3, 2, 1}};
  services_init(&services, 1);
  const struct dvt_host *host = &services.table;
  assert_true(DVT_HAS(host, choose));
  assert_int_equal(host->choose(host, "key", WAYS, names, look, &clock), 0);
  assert_int_equal(calls(&clock), 0);
  AUTO(choices) choices = choices_new(machine);
  services.choices = choices;
  assert_int_equal(host->choose(host, "key", WAYS, names, look, &clock), 2);
}

#define CASE(function) cmocka_unit_test_setup(function, forget)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(the_fastest_is_chosen),
      CASE(a_later_way_must_be_ahead),
      CASE(what_fails_is_not_chosen),
      CASE(what_failed_once_has_failed),
      CASE(where_all_fail_it_is_the_first_for_this_process),
      CASE(what_was_chosen_is_recalled),
      CASE(it_is_recalled_by_name),
      CASE(another_machine_measures_anew),
      CASE(the_file_says_what_was_measured),
      CASE(a_damaged_file_is_an_empty_one),
      CASE(a_pipe_in_its_place_is_not_waited_for),
      CASE(what_others_wrote_stays),
      CASE(a_file_that_cannot_be_written_does_no_harm),
      CASE(two_processes_keep_what_both_measured),
      CASE(what_was_used_is_told),
      CASE(what_an_earlier_run_recorded_goes_first),
      CASE(a_question_that_is_none_gets_the_first),
      CASE(one_way_and_sixty_four_are_fine),
      CASE(many_threads_measure_once),
      CASE(the_service_passes_it_on),
  };
  return cmocka_run_group_tests(tests, make_cache, scratch_teardown);
}
