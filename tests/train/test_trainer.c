/* SPDX-License-Identifier: MIT */
/* How a training ends before its first step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scratch.h"
#include "train/trainer.h"
#include "train_test.h"

struct watched {
  gboolean start_fails;
  guint starts, steps, epochs;
};

static gboolean on_start(gpointer data, GError **error) {
  struct watched *watched = data;
  watched->starts++;
  return !watched->start_fails || error_failed(error, "no start");
}

static gboolean on_epoch(gpointer data, const struct epoch_report *report, GError **error) {
  struct watched *watched = data;
  (void)error;
  watched->epochs++;
  watched->steps = (guint)report->step;
  return TRUE;
}

static void show_nothing(gpointer data, guint64 step, guint64 steps) { (void)data, (void)step, (void)steps; }

/* Trains, and frees everything. FALSE with the error. */
static gboolean train(void **state, struct watched *watched, gint interrupted, GError **error) {
  g_autofree char *path = scratch_file(state, "short.yaml", small_experiment, strlen(small_experiment));
  const struct trainer_watcher watcher = {
      .start = on_start, .epoch = on_epoch, .progress = show_nothing, .data = watched};
  const struct trainer_config config = {.threads = 2, .interrupted = &interrupted};
  AUTO(experiment) experiment = experiment_read(path, NULL, error);
  AUTO(dataset_pool) pool = dataset_pool_new();
  AUTO(composition) composition = experiment ? composition_new(experiment, registry, pool, error) : NULL;
  return composition && composition_initialise(composition, error) &&
         trainer_run(composition, &config, &watcher, error);
}

static void the_start_is_told_once(void **state) {
  struct watched watched = {0};
  GError *error = NULL;
  if (!train(state, &watched, 0, &error)) fail_msg("%s", error->message);
  assert_int_equal(watched.starts, 1);
  assert_int_equal(watched.steps, 3);
}

static void a_start_that_fails_ends_it(void **state) {
  struct watched watched = {.start_fails = TRUE};
  GError *error = NULL;
  assert_false(train(state, &watched, 0, &error));
  assert_string_equal(error->message, "no start");
  assert_int_equal(watched.starts, 1);
  assert_int_equal(watched.epochs, 0);
  g_clear_error(&error);
}

static void an_interrupt_before_the_first_step_ends_it(void **state) {
  struct watched watched = {0};
  GError *error = NULL;
  assert_false(train(state, &watched, 1, &error));
  assert_int_equal(error->code, DOVETAIL_INTERRUPTED);
  assert_int_equal(watched.epochs, 0);
  g_clear_error(&error);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(the_start_is_told_once),
      SCRATCH_TEST(a_start_that_fails_ends_it),
      SCRATCH_TEST(an_interrupt_before_the_first_step_ends_it),
  };
  return cmocka_run_group_tests(tests, registry_setup, registry_teardown);
}
