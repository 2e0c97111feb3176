/* SPDX-License-Identifier: MIT */
/* What compositions share by way of their pool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scratch.h"
#include "train/compose.h"
#include "train_test.h"

struct made {
  struct experiment *experiment;
  struct composition *composition;
};

static void made_free(struct made *made) {
  composition_free(made->composition);
  experiment_free(made->experiment);
  g_free(made);
}
AUTO_DEFINE(made, made_free)

static struct made *make(void **state, struct dataset_pool *pool, const char *set) {
  g_autofree char *path = scratch_file(state, "shared.yaml", small_experiment, strlen(small_experiment));
  struct made *made = g_new0(struct made, 1);
  GError *error = NULL;
  made->experiment = experiment_read(path, (const char *const[]){set, NULL}, &error);
  if (made->experiment) made->composition = composition_new(made->experiment, registry, pool, &error);
  if (!made->composition) fail_msg("%s", error->message);
  return made;
}

static const struct task *task_of(const struct made *made, guint t) { return made->composition->networks[t].task; }

static void compositions_share_a_dataset(void **state) {
  AUTO(dataset_pool) pool = dataset_pool_new();
  AUTO(made) first = make(state, pool, "seed=1");
  AUTO(made) second = make(state, pool, "seed=2");
  assert_ptr_equal(task_of(first, 0)->dataset, task_of(first, 1)->dataset);
  assert_ptr_equal(task_of(first, 0)->dataset, task_of(second, 0)->dataset);
}

static void one_after_another_too(void **state) {
  AUTO(dataset_pool) pool = dataset_pool_new();
  struct made *first = make(state, pool, "seed=1");
  const struct dataset *dataset = task_of(first, 0)->dataset;
  made_free(first);
  AUTO(made) second = make(state, pool, "seed=2");
  assert_ptr_equal(task_of(second, 0)->dataset, dataset);
}

static void limit_and_classes_are_the_tasks(void **state) {
  AUTO(dataset_pool) pool = dataset_pool_new();
  AUTO(made) whole = make(state, pool, "seed=1");
  AUTO(made) few = make(state, pool, "data.limit.train=20");
  AUTO(made) classes = make(state, pool, "networks.a.classes=[car, boat]");
  assert_ptr_equal(task_of(few, 0)->dataset, task_of(whole, 0)->dataset);
  assert_ptr_equal(task_of(classes, 0)->dataset, task_of(whole, 0)->dataset);
  assert_int_equal(task_of(whole, 0)->count[DVT_SUBSET_TRAIN], 64);
  assert_int_equal(task_of(few, 0)->count[DVT_SUBSET_TRAIN], 20);
  assert_int_equal(task_of(classes, 0)->count[DVT_SUBSET_TRAIN], 14);
  assert_int_equal(task_of(classes, 1)->count[DVT_SUBSET_TRAIN], 64);
}

/* So networks with it and without may be paired. */
static void a_limit_that_leaves_everything_is_none(void **state) {
  AUTO(dataset_pool) pool = dataset_pool_new();
  AUTO(made) all =
      make(state, pool, "networks.a.data={plugin: shapes, params: {train: 64, test: 10}, limit: {train: 64}}");
  AUTO(made) few =
      make(state, pool, "networks.a.data={plugin: shapes, params: {train: 64, test: 10}, limit: {train: 63}}");
  assert_ptr_equal(task_of(all, 0), task_of(all, 1));
  assert_ptr_not_equal(task_of(few, 0), task_of(few, 1));
}

static void other_parameters_are_another_dataset(void **state) {
  AUTO(dataset_pool) pool = dataset_pool_new();
  AUTO(made) first = make(state, pool, "seed=1");
  AUTO(made) second = make(state, pool, "data.params.seed=1");
  assert_ptr_not_equal(task_of(first, 0)->dataset, task_of(second, 0)->dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(compositions_share_a_dataset),         SCRATCH_TEST(one_after_another_too),
      SCRATCH_TEST(limit_and_classes_are_the_tasks),      SCRATCH_TEST(a_limit_that_leaves_everything_is_none),
      SCRATCH_TEST(other_parameters_are_another_dataset),
  };
  return cmocka_run_group_tests(tests, registry_setup, registry_teardown);
}
