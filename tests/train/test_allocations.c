/* SPDX-License-Identifier: MIT */
/*
 * Nothing is allocated in a step, by any thread: what is needed is made once. Whole trainings run; what is counted is
 * all of the second epoch, from the end of the first to its own. Nobody prints meanwhile: what the caller's thread does
 * with progress is not a step's. With the argument `winograd`, convolutions are done in that way wherever it is
 * possible; else in the direct one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <oneapi/dnnl/dnnl.h>

#include "allocations.h"
#include "scratch.h"
#include "skip.h"
#include "train/trainer.h"
#include "train_test.h"

enum {
  STEPS = 6, /* of an epoch */
  /* dnnl_primitive_execute makes a table of its arguments in each call, and gemm (of the linear layer) its workspace.
   * A scratchpad of a convolution, which the host's memory should hold, is larger. */
  ONEDNN_MOST = 1 << 15
};

static const char text[] = "name: lean\n"
                           "scheme: %s\n"
                           "data: {plugin: shapes, params: {train: 48, test: 10}}\n"
                           "networks:\n"
                           "  a: &network\n"
                           "    backbone: {plugin: resnet, params: {depth: 8, width: 16}}\n"
                           "    split: layer2\n"
                           "    head: {plugin: resnet-tail, params: {depth: 8, width: 16}}\n"
                           "  b: *network\n"
                           "aligners: [%s]\n"
                           "train: {batch: 8, epochs: 2, check: 1, precision: %s}\n";

static const char all_aligners[] = "{plugin: rotation}, {plugin: common-classes, params: {classes: [0, 1, 2]}}, "
                                   "{plugin: distillation}, {plugin: shared-init}";

/* What the text lacks. Of an incremental experiment the last stage is trained, where all but one network is frozen. */
struct lean {
  const char *scheme, *aligners, *precision;
};

static struct choices *choices; /* NULL: none are made */

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

/* What the host is asked is known when the memory for training was made once. */
static void choose_winograd(struct composition *composition, guint threads) {
  GError *error = NULL;
  const char *key;
  json_t *way;
  composition_choose(composition, choices);
  choices_begin(choices, NULL);
  AUTO(stepper) stepper = stepper_new(composition, threads, &error);
  if (!stepper) fail_msg("%s", error->message);
  json_auto_t *asked = choices_used(choices), *wanted = json_object();
  json_object_foreach(asked, key, way) json_object_set_new(wanted, key, json_string("winograd"));
  choices_begin(choices, wanted);
}

/* In how many choices of the last training, in a precision. */
static guint count_winograd(const char *precision) {
  guint count = 0;
  const char *key;
  json_t *way;
  json_auto_t *used = choices_used(choices);
  json_object_foreach(used, key, way) count += strstr(key, precision) && !strcmp(json_string_value(way), "winograd");
  return count;
}

static struct allocations train(void **state, const struct lean *lean, guint threads) {
  static struct allocations counted;
  g_autofree char *yaml = g_strdup_printf(text, lean->scheme, lean->aligners, lean->precision);
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
  if (choices) choose_winograd(composition, threads);
  assert_int_equal(trainer_steps(composition), 2 * STEPS);
  if (!trainer_run(composition, &config, &watcher, &error)) fail_msg("%s", error->message);
  return counted;
}

/* On older processors convolutions are done by gemm, with its workspaces. */
static gboolean has_convolutions(void) { return dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx2; }

static void assert_nothing(void **state, const struct lean *lean) {
  for (guint threads = 1; threads <= 2; threads++) {
    const struct allocations counted = train(state, lean, 2 * threads);
    if (counted.count)
      fail_msg("%s, [%s], %s, %u threads a network: %zu allocations; the first:%s", lean->scheme, lean->aligners,
               lean->precision, threads, counted.count, counted.first);
    if (has_convolutions()) assert_in_range(counted.onednn_bytes, 0, ONEDNN_MOST);
    if (choices) assert_true(count_winograd(lean->precision) > 0);
  }
}

static void assert_nothing_with(void **state, const char *aligners) {
  assert_nothing(state, &(struct lean){"joint", aligners, "float32"});
}

static void without_aligners(void **state) { assert_nothing_with(state, ""); }

static void with_shared_init(void **state) { assert_nothing_with(state, "{plugin: shared-init}"); }

static void with_rotation(void **state) { assert_nothing_with(state, "{plugin: rotation}"); }

static void with_common_classes(void **state) { assert_nothing_with(state, "{plugin: common-classes}"); }

static void with_distillation(void **state) { assert_nothing_with(state, "{plugin: distillation}"); }

static void with_all_aligners(void **state) { assert_nothing_with(state, all_aligners); }

static void in_bfloat16(void **state) { assert_nothing(state, &(struct lean){"joint", all_aligners, "bfloat16"}); }

static void with_a_frozen_network(void **state) {
  assert_nothing(state, &(struct lean){"incremental", all_aligners, "float32"});
}

static void with_a_frozen_network_in_bfloat16(void **state) {
  assert_nothing(state, &(struct lean){"incremental", all_aligners, "bfloat16"});
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

/* One training tells. */
static gboolean winograd_is_possible(void) {
  void *state = NULL;
  if (scratch_setup(&state)) return FALSE;
  train(&state, &(struct lean){"joint", "", "float32"}, 2);
  scratch_teardown(&state);
  return count_winograd("float32") > 0;
}

static int run_winograd(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(with_all_aligners),
      SCRATCH_TEST(in_bfloat16),
      SCRATCH_TEST(with_a_frozen_network),
      SCRATCH_TEST(with_a_frozen_network_in_bfloat16),
  };
  choices = choices_new("a machine for tests");
  const int failed = winograd_is_possible() ? cmocka_run_group_tests(tests, NULL, NULL)
                                            : skip_all("Winograd is not possible on this processor");
  choices_free(choices);
  return failed;
}

static int run_direct(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_counter_sees_every_way_to_allocate),
      SCRATCH_TEST(without_aligners),
      SCRATCH_TEST(with_shared_init),
      SCRATCH_TEST(with_rotation),
      SCRATCH_TEST(with_common_classes),
      SCRATCH_TEST(with_distillation),
      SCRATCH_TEST(with_all_aligners),
      SCRATCH_TEST(in_bfloat16),
      SCRATCH_TEST(with_a_frozen_network),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv) {
  void *state = NULL;
  if (registry_setup(&state)) return 2;
  const int failed = argc > 1 && !strcmp(argv[1], "winograd") ? run_winograd() : run_direct();
  registry_teardown(&state);
  return failed;
}
