/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dovetail/module.h>

#include "rig.h"

enum { MOST = 24 };

/* Weights of one element each, or of as many as `sizes` says. */
struct weights {
  struct dvt_network_weight weight[MOST];
  const struct dvt_network_weight *list[MOST];
  float values[MOST][2];
};

static struct dvt_network_weight *give(struct rig *rig, guint t, struct weights *weights, uint32_t component,
                                       const char *name, gint64 size) {
  struct dvt_network *network = &rig->networks[t];
  const uint32_t k = network->weight_count++;
  network->weights = weights->list;
  weights->weight[k] = (struct dvt_network_weight){
      .struct_size = sizeof weights->weight[k],
      .component = component,
      .role = DVT_WEIGHT_PARAMETER,
      .name = name,
      .value = {.data = weights->values[k], .dtype = DVT_F32, .place = DVT_PLACE_HOST, .rank = 1, .shape = {size}},
  };
  weights->values[k][0] = weights->values[k][1] = (float)(10 * t + k + 1);
  weights->list[k] = &weights->weight[k];
  return &weights->weight[k];
}

static void the_same_weights_start_with_the_same_values(void **state) {
  struct rig *rig = *state;
  struct weights a, b;
  give(rig, 0, &a, DVT_COMPONENT_EXTRACTOR, "conv", 2);
  give(rig, 0, &a, DVT_COMPONENT_EXTRACTOR, "norm", 1);
  give(rig, 0, &a, DVT_COMPONENT_EXTRACTOR, "shape", 1);
  give(rig, 0, &a, DVT_COMPONENT_EXTRACTOR, "place", 1);
  give(rig, 1, &b, DVT_COMPONENT_EXTRACTOR, "shape", 2);
  give(rig, 1, &b, DVT_COMPONENT_EXTRACTOR, "norm", 1)->frozen = 1;
  give(rig, 1, &b, DVT_COMPONENT_HEAD, "place", 1);
  give(rig, 1, &b, DVT_COMPONENT_EXTRACTOR, "conv", 2);
  assert_int_equal(rig_init(rig, "shared-init", NULL, 2), DVT_OK);
  assert_int_equal(rig->ops->initialise(rig->aligner, &rig->fault), DVT_OK);
  assert_true(b.values[0][0] == 11 && b.values[1][0] == 12 && b.values[2][0] == 13);
  assert_true(b.values[3][0] == 1 && b.values[3][1] == 1);
  assert_true(a.values[0][0] == 1 && a.values[1][0] == 2 && a.values[2][0] == 3 && a.values[3][0] == 4);
}

/* What the first network lacks, two later ones share all the same. */
static void later_networks_share_among_themselves(void **state) {
  struct rig *rig = *state;
  struct weights a, b, c;
  give(rig, 0, &a, DVT_COMPONENT_EXTRACTOR, "stem", 1);
  give(rig, 0, &a, DVT_COMPONENT_EXTRACTOR, "conv", 1);
  give(rig, 1, &b, DVT_COMPONENT_EXTRACTOR, "stem", 1);
  give(rig, 1, &b, DVT_COMPONENT_EXTRACTOR, "conv", 2);
  give(rig, 1, &b, DVT_COMPONENT_EXTRACTOR, "deep", 1);
  give(rig, 2, &c, DVT_COMPONENT_EXTRACTOR, "deep", 1);
  give(rig, 2, &c, DVT_COMPONENT_EXTRACTOR, "conv", 2);
  give(rig, 2, &c, DVT_COMPONENT_EXTRACTOR, "stem", 1);
  give(rig, 2, &c, DVT_COMPONENT_EXTRACTOR, "own", 1);
  assert_int_equal(rig_init(rig, "shared-init", NULL, 3), DVT_OK);
  assert_string_equal(
      rig->log->str,
      "shared-init: network b starts with 1 of its 3 weights from network a: stem\n"
      "shared-init: network c starts with 3 of its 4 weights from network a or another before it, all but own\n");
  assert_int_equal(rig->ops->initialise(rig->aligner, &rig->fault), DVT_OK);
  assert_true(a.values[0][0] == 1 && a.values[1][0] == 2);
  assert_true(b.values[0][0] == 1 && b.values[1][0] == 12 && b.values[2][0] == 13);
  assert_true(c.values[0][0] == 13 && c.values[1][1] == 12 && c.values[2][0] == 1 && c.values[3][0] == 24);
}

static void weights_that_are_all_shared_are_no_news(void **state) {
  struct rig *rig = *state;
  struct weights weights[3];
  for (guint t = 0; t < 3; t++) give(rig, t, &weights[t], DVT_COMPONENT_HEAD, "linear", 1);
  assert_int_equal(rig_init(rig, "shared-init", NULL, 3), DVT_OK);
  assert_string_equal(rig->log->str, "");
  give(rig, 0, &weights[0], DVT_COMPONENT_HEAD, "more", 1);
  assert_int_equal(rig_init(rig, "shared-init", NULL, 2), DVT_OK);
  assert_string_equal(rig->log->str, "shared-init: network b starts with 1 of its 1 weights from network a\n");
}

static void the_shorter_list_is_told(void **state) {
  struct rig *rig = *state;
  static const char *const names[] = {"w1", "w2", "w3", "w4"};
  struct weights weights[2];
  for (guint k = 0; k < 4; k++) {
    give(rig, 0, &weights[0], DVT_COMPONENT_HEAD, names[k], 1);
    give(rig, 1, &weights[1], DVT_COMPONENT_HEAD, names[k], 1 + (k == 1));
  }
  assert_int_equal(rig_init(rig, "shared-init", NULL, 2), DVT_OK);
  assert_string_equal(rig->log->str,
                      "shared-init: network b starts with 3 of its 4 weights from network a, all but w2\n");
  g_string_truncate(rig->log, 0);
  for (guint k = 0; k < 3; k++) weights[1].weight[k].value.shape[0] = 2;
  assert_int_equal(rig_init(rig, "shared-init", NULL, 2), DVT_OK);
  assert_string_equal(rig->log->str, "shared-init: network b starts with 1 of its 4 weights from network a: w4\n");
}

/* Networks with MOST weights of these names, of which they share the first few. */
static void give_many(struct rig *rig, struct weights weights[2], char *const *names, guint shared) {
  for (guint k = 0; k < MOST; k++) {
    give(rig, 0, &weights[0], DVT_COMPONENT_HEAD, names[k], 1);
    give(rig, 1, &weights[1], DVT_COMPONENT_HEAD, names[k], k < shared ? 1 : 2);
  }
}

static void long_lists_are_cut(void **state) {
  struct rig *rig = *state;
  struct weights weights[2];
  char *names[MOST];
  for (guint k = 0; k < MOST; k++) names[k] = g_strdup_printf("w%u", k);
  give_many(rig, weights, names, 10);
  assert_int_equal(rig_init(rig, "shared-init", NULL, 2), DVT_OK);
  assert_string_equal(rig->log->str, "shared-init: network b starts with 10 of its 24 weights from network a: w0, w1, "
                                     "w2, w3, w4, w5, w6, w7 and 2 more\n");
  for (guint k = 0; k < MOST; k++) g_free(names[k]);
}

static void long_names_are_cut(void **state) {
  struct rig *rig = *state;
  struct weights weights[2];
  char *names[MOST];
  for (guint k = 0; k < MOST; k++) names[k] = g_strnfill(200, (char)('a' + k));
  give_many(rig, weights, names, 10);
  assert_int_equal(rig_init(rig, "shared-init", NULL, 2), DVT_OK);
  assert_non_null(strstr(rig->log->str, "10 of its 24 weights from network a: aaaa"));
  assert_in_range(rig->log->len, 600, 1000);
  for (guint k = 0; k < MOST; k++) g_free(names[k]);
}

static void nothing_in_common(void **state) {
  struct rig *rig = *state;
  struct weights a, b;
  give(rig, 0, &a, DVT_COMPONENT_HEAD, "w", 1);
  give(rig, 1, &b, DVT_COMPONENT_HEAD, "v", 1);
  rig_refuses(rig, "shared-init", NULL, 2, "network b has no weight of the same name and shape as network a");
  struct weights c;
  give(rig, 1, &b, DVT_COMPONENT_HEAD, "w", 1);
  give(rig, 2, &c, DVT_COMPONENT_HEAD, "u", 1);
  rig_refuses(rig, "shared-init", NULL, 3,
              "network c has no weight of the same name and shape as network a or another before it");
}

/* A frozen network can give its values, not take others'. */
static void a_frozen_network_comes_first(void **state) {
  struct rig *rig = *state;
  struct weights weights[3];
  for (guint t = 0; t < 3; t++) give(rig, t, &weights[t], DVT_COMPONENT_HEAD, "linear", 1);
  rig->networks[1].frozen = 1;
  rig_refuses(rig, "shared-init", NULL, 3,
              "network b is frozen and cannot start with the values of network a; put it before that one");
  rig->networks[0].frozen = 1;
  assert_int_equal(rig_init(rig, "shared-init", NULL, 3), DVT_OK);
}

static void a_frozen_network_comes_before_those_that_take_its_values(void **state) {
  struct rig *rig = *state;
  struct weights weights[3];
  for (guint t = 0; t < 3; t++) give(rig, t, &weights[t], DVT_COMPONENT_HEAD, "linear", 1);
  rig->networks[0].frozen = rig->networks[2].frozen = 1;
  assert_int_equal(rig_init(rig, "shared-init", NULL, 3), DVT_OK); /* b and c start from a */
  for (guint t = 1; t < 3; t++) give(rig, t, &weights[t], DVT_COMPONENT_HEAD, "deep", 1);
  rig_refuses(rig, "shared-init", NULL, 3,
              "network c is frozen and cannot start with the values of network b; put it before that one");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      RIG_TEST(the_same_weights_start_with_the_same_values),
      RIG_TEST(later_networks_share_among_themselves),
      RIG_TEST(weights_that_are_all_shared_are_no_news),
      RIG_TEST(the_shorter_list_is_told),
      RIG_TEST(long_lists_are_cut),
      RIG_TEST(long_names_are_cut),
      RIG_TEST(nothing_in_common),
      RIG_TEST(a_frozen_network_comes_first),
      RIG_TEST(a_frozen_network_comes_before_those_that_take_its_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
