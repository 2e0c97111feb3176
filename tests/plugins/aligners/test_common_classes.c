/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

static void set_classes(struct rig *rig, guint t, const char *const *names) {
  rig->networks[t].class_names = names;
  rig->networks[t].class_count = g_strv_length((char **)names);
}

/* Networks whose tasks share three classes, in different places. */
static int setup(void **state) {
  static const char *const a[] = {"cat", "dog", "car", "ship", NULL}, *const b[] = {"ship", "bird", "dog", "cat", NULL},
                           *const c[] = {"dog", "cat", "ship", "car", "tree", NULL};
  rig_setup(state);
  struct rig *rig = *state;
  set_classes(rig, 0, a);
  set_classes(rig, 1, b);
  set_classes(rig, 2, c);
  rig_give_head(rig);
  return 0;
}

#define CLASSES(...) list((const char *const[]){__VA_ARGS__, NULL})
#define NO_CLASSES list((const char *const[]){NULL})

/* A parameter that lives until the next one is made, and no longer. */
static const struct dvt_value *list(const char *const *names) {
  static struct dvt_value value;
  static char **copy;
  g_strfreev(copy);
  copy = g_strdupv((char **)names);
  value =
      (struct dvt_value){.type = DVT_TYPE_STRINGS, .count = g_strv_length(copy), .strings = (const char *const *)copy};
  return &value;
}

static void run(struct rig *rig, guint network, const int32_t labels[RIG_BATCH], struct dvt_tensor *gradient) {
  const struct dvt_batch batch = {
      .struct_size = sizeof batch, .network = network, .weight = 0.25, .count = RIG_BATCH, .labels = labels};
  rig_runs_head(rig, rig->ops->feature_loss, &batch, gradient);
}

static void classes_are_the_same_by_name(void **state) {
  struct rig *rig = *state;
  const int32_t labels[RIG_BATCH] = {0, 1, 2, 3, 3, 0};
  const int32_t first[] = {0, 1, -1, 2, 2, 0}, second[] = {2, -1, 1, 0, 0, 2}, third[] = {1, 0, 2, -1, -1, 1};
  struct dvt_tensor gradient;
  assert_int_equal(rig_init(rig, "common-classes", NO_CLASSES, 3), DVT_OK);
  assert_string_equal(rig->asked.classes->str, "cat dog ship ");
  run(rig, 0, labels, &gradient);
  assert_memory_equal(rig->asked.labels, first, sizeof first);
  run(rig, 1, labels, &gradient);
  assert_memory_equal(rig->asked.labels, second, sizeof second);
  run(rig, 2, labels, NULL);
  assert_memory_equal(rig->asked.labels, third, sizeof third);
}

static void classes_are_chosen_by_name_and_by_label(void **state) {
  struct rig *rig = *state;
  const int32_t labels[RIG_BATCH] = {0, 1, 2, 3, 3, 0}, expected[] = {0, -1, -1, 1, 1, 0};
  assert_int_equal(rig_init(rig, "common-classes", CLASSES("3", "cat"), 3), DVT_OK);
  assert_string_equal(rig->asked.classes->str, "ship cat ");
  run(rig, 1, labels, NULL);
  assert_memory_equal(rig->asked.labels, expected, sizeof expected);
}

static void a_name_of_digits_is_a_name(void **state) {
  struct rig *rig = *state;
  static const char *const digits[] = {"2", "1", "0", NULL};
  for (guint t = 0; t < RIG_NETWORKS; t++) set_classes(rig, t, digits);
  assert_int_equal(rig_init(rig, "common-classes", CLASSES("0", "2"), 3), DVT_OK);
  assert_string_equal(rig->asked.classes->str, "0 2 ");
}

static void one_network_shares_all_its_classes(void **state) {
  struct rig *rig = *state;
  assert_int_equal(rig_init(rig, "common-classes", NO_CLASSES, 1), DVT_OK);
  assert_string_equal(rig->asked.classes->str, "cat dog car ship ");
}

static void refuses(void **state, const struct dvt_value *value, const char *message) {
  rig_refuses(*state, "common-classes", value, 3, message);
}

static void unknown_classes(void **state) {
  refuses(state, CLASSES("cat", "dgo"), "the task of network a has no class 'dgo'; in every task: cat, dog, ship");
  refuses(state, CLASSES("car", "cat"), "the task of network b has no class 'car'; in every task: cat, dog, ship");
  refuses(state, CLASSES("0", "2"), "the task of network b has no class 'car'; in every task: cat, dog, ship");
  refuses(state, CLASSES("0", "4"), "the task of network a has no class '4'; in every task: cat, dog, ship");
  refuses(state, CLASSES("99999999999999999999"),
          "the task of network a has no class '99999999999999999999'; in every task: cat, dog, ship");
  refuses(state, CLASSES("-1"), "the task of network a has no class '-1'; in every task: cat, dog, ship");
  refuses(state, CLASSES(""), "the task of network a has no class ''; in every task: cat, dog, ship");
}

static void classes_given_twice(void **state) {
  refuses(state, CLASSES("cat", "dog", "cat"), "class 'cat' is given twice ('cat' and 'cat')");
  refuses(state, CLASSES("0", "dog", "cat"), "class 'cat' is given twice ('0' and 'cat')");
  refuses(state, CLASSES("0", "1", "3", "3", "3", "3"), "class 'ship' is given twice ('3' and '3')");
}

static void too_few_classes(void **state) {
  static const char *const alone[] = {"ship", "sun", NULL}, *const others[] = {"sun", "moon", NULL};
  refuses(state, CLASSES("dog"), "'dog' is the only common class; a head needs two or more to tell apart");
  set_classes(*state, 1, alone);
  refuses(state, NO_CLASSES, "'ship' is the only common class; a head needs two or more to tell apart");
  set_classes(*state, 1, others);
  refuses(state, NO_CLASSES, "no class is in the task of every network; classes are the same by name");
  refuses(state, CLASSES("cat"), "the task of network b has no class 'cat'; in every task: none");
}

#define CLASSES_TEST(function) cmocka_unit_test_setup_teardown(function, setup, rig_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      CLASSES_TEST(classes_are_the_same_by_name),
      CLASSES_TEST(classes_are_chosen_by_name_and_by_label),
      CLASSES_TEST(a_name_of_digits_is_a_name),
      CLASSES_TEST(one_network_shares_all_its_classes),
      CLASSES_TEST(unknown_classes),
      CLASSES_TEST(classes_given_twice),
      CLASSES_TEST(too_few_classes),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  NO_CLASSES;
  return failed;
}
