/* SPDX-License-Identifier: MIT */
/*
 * Nothing is allocated in a step, by any thread: what is needed is made once. Whole trainings run; what is counted is
 * all of the second epoch, from the end of the first to its own. Nobody prints meanwhile: what the caller's thread does
 * with progress is not a step's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "allocations.h"
#include "scratch.h"
#include "train/trainer.h"
#include "train_test.h"

enum {
  STEPS = 12, /* of an epoch */
  /* dnnl_primitive_execute makes a table of its arguments in each call, and gemm (of the linear layer) its workspace.
   * A scratchpad of a convolution, which the host's memory should hold, is larger. */
  ONEDNN_MOST = 1 << 15
};

static const char text[] = "name: lean\n"
                           "data: {plugin: shapes, params: {train: 96, test: 10}}\n"
                           "networks:\n"
                           "  a: &network\n"
                           "    backbone: {plugin: resnet, params: {depth: 8, width: 16}}\n"
                           "    split: layer2\n"
                           "    head: {plugin: resnet-tail, params: {depth: 8, width: 16}}\n"
                           "  b: *network\n"
                           "aligners: [%s]\n"
                           "train: {batch: 8, epochs: 2, check: 1}\n";

static gboolean count_second(gpointer data, const struct epoch_report *report, GError **error) {
  struct allocations *counted = data;
  (void)error;
  if (report->epoch == 0)
    allocations_begin();
  else
    *counted = *allocations_end();
  return TRUE;
}

static void show_nothing(gpointer data, guint64 step, guint64 steps) { (void)data, (void)step, (void)steps; }

static struct allocations train(void **state, const char *aligners, guint threads) {
  static struct allocations counted;
  g_autofree char *yaml = g_strdup_printf(text, aligners);
  g_autofree char *path = scratch_file(state, "lean.yaml", yaml, strlen(yaml));
  const struct trainer_watcher watcher = {.epoch = count_second, .progress = show_nothing, .data = &counted};
  const gint interrupted = 0;
  const struct trainer_config config = {.threads = threads, .interrupted = &interrupted};
  GError *error = NULL;
  counted = (struct allocations){.count = SIZE_MAX};
  AUTO(experiment) experiment = experiment_read(path, NULL, &error);
  AUTO(dataset_pool) pool = dataset_pool_new();
  AUTO(composition) composition = experiment ? composition_new(experiment, registry, pool, &error) : NULL;
  if (!composition || !composition_initialise(composition, &error)) fail_msg("%s", error->message);
  assert_int_equal(trainer_steps(composition), 2 * STEPS);
  if (!trainer_run(composition, &config, &watcher, &error)) fail_msg("%s", error->message);
  return counted;
}

static void assert_nothing(void **state, const char *aligners) {
  for (guint threads = 1; threads <= 2; threads++) {
    const struct allocations counted = train(state, aligners, 2 * threads);
    if (counted.count)
      fail_msg("[%s], %u threads a network: %zu allocations; the first:%s", aligners, threads, counted.count,
               counted.first);
    assert_in_range(counted.onednn_bytes, 0, ONEDNN_MOST);
  }
}

static void without_aligners(void **state) { assert_nothing(state, ""); }

static void with_shared_init(void **state) { assert_nothing(state, "{plugin: shared-init}"); }

static void with_rotation(void **state) { assert_nothing(state, "{plugin: rotation}"); }

static void with_common_classes(void **state) { assert_nothing(state, "{plugin: common-classes}"); }

static void with_distillation(void **state) { assert_nothing(state, "{plugin: distillation}"); }

static void with_all_aligners(void **state) {
  assert_nothing(state, "{plugin: rotation}, {plugin: common-classes}, {plugin: distillation}, {plugin: shared-init}");
}

static void the_counter_sees_every_way_to_allocate(void **state) {
  (void)state;
  void *volatile made[6] = {0}; /* volatile: or the compiler leaves the calls out */
  void *aligned = NULL;
  allocations_begin();
  made[0] = malloc(1);
  made[1] = calloc(1, 1);
  made[2] = realloc(NULL, 1);
  made[3] = aligned_alloc(64, 64);
  const int status = posix_memalign(&aligned, 64, 64);
  made[4] = g_malloc(1);
  const struct allocations counted = *allocations_end();
  made[5] = aligned;
  for (guint k = 0; k < G_N_ELEMENTS(made); k++) free(made[k]);
  assert_int_equal(status, 0);
  assert_int_equal(counted.count, 6);
  assert_non_null(strstr(counted.first, "test_allocations"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_counter_sees_every_way_to_allocate),
      SCRATCH_TEST(without_aligners),
      SCRATCH_TEST(with_shared_init),
      SCRATCH_TEST(with_rotation),
      SCRATCH_TEST(with_common_classes),
      SCRATCH_TEST(with_distillation),
      SCRATCH_TEST(with_all_aligners),
  };
  return cmocka_run_group_tests(tests, registry_setup, registry_teardown);
}
