/* SPDX-License-Identifier: MIT */
/* What backbone resnet, head resnet-tail and head linear declare and refuse. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "pair.h"

enum { BATCH = 2, IMAGE = 3 * 32 * 32 };

static const struct dvt_module_ops *ops_of(enum dvt_kind kind, const char *name) {
  return pair_plugin(kind, name)->ops;
}

/* The message with which create or init refuses; "" when both accept. */
static char *refusal(enum dvt_kind kind, const char *name, const struct dvt_value *values,
                     const struct dvt_module_config *config) {
  const struct dvt_module_ops *ops = ops_of(kind, name);
  struct services services;
  struct dvt_error error = DVT_ERROR_INIT;
  void *module = NULL;
  services_init(&services, 1);
  if (ops->create(values, &module, &error) == DVT_OK) ops->init(module, &services.table, config, &error);
  ops->destroy(module);
  return g_strdup(error.message);
}

static void assert_backbone_refused(gint64 depth, const char *split, const char *message) {
  const struct dvt_value values[] = {{.type = DVT_TYPE_INT, .integer = depth},
                                     {.type = DVT_TYPE_INT, .integer = 16},
                                     {.type = DVT_TYPE_STRING, .string = "projection"},
                                     {.type = DVT_TYPE_STRING, .string = "he"}};
  const struct dvt_module_config config = {.struct_size = sizeof config, .input = {3, 32, 32}, .split = split};
  g_autofree char *text = refusal(DVT_KIND_BACKBONE, "resnet", values, &config);
  assert_string_equal(text, message);
}

static void assert_tail_refused(const char *own_split, const char *split, gint64 channels, const char *message) {
  const struct dvt_value values[] = {{.type = DVT_TYPE_INT, .integer = 8},
                                     {.type = DVT_TYPE_INT, .integer = 16},
                                     {.type = DVT_TYPE_STRING, .string = "identity"},
                                     {.type = DVT_TYPE_STRING, .string = "uniform"},
                                     {.type = DVT_TYPE_STRING, .string = own_split}};
  const struct dvt_module_config config = {
      .struct_size = sizeof config, .classes = 10, .input = {channels, 16, 16}, .split = split};
  g_autofree char *text = refusal(DVT_KIND_HEAD, "resnet-tail", values, &config);
  assert_string_equal(text, message);
}

#define SPLITS_OF_8 "conv1, layer1.0, layer1, layer2.0, layer2, layer3.0, layer3, avgpool"

static void depths_and_splits_are_checked(void **state) {
  (void)state;
  assert_backbone_refused(20, "layer2", "");
  assert_backbone_refused(20, NULL, "");
  assert_backbone_refused(21, "layer2", "depth 21 is not 6n + 2; the nearest are 20 and 26");
  assert_backbone_refused(1000, "layer2", "depth 1000 is not 6n + 2; the nearest are 998 and 1004");
  assert_backbone_refused(8, "layer4", "no split 'layer4'; known: " SPLITS_OF_8);
  assert_backbone_refused(20, "layer1.3",
                          "no split 'layer1.3'; known: conv1, layer1.0 to layer1.2, layer1, layer2.0 to layer2.2, "
                          "layer2, layer3.0 to layer3.2, layer3, avgpool");
}

static void features_of_a_tail_are_checked(void **state) {
  (void)state;
  assert_tail_refused("", "layer2", 32, "");
  assert_tail_refused("layer2", "somewhere", 32, "");
  assert_tail_refused("layer2", NULL, 32, "");
  assert_tail_refused("", "layer2", 16, "got features of 16x16x16; expected 32 channels after layer2");
  assert_tail_refused("", "avgpool", 64, "got features of 64x16x16; expected 64 channels of 1x1 after avgpool");
  assert_tail_refused("layer4", "layer2", 32, "no split 'layer4'; known: " SPLITS_OF_8);
  assert_tail_refused("", "stage2", 32,
                      "the features come from 'stage2', which is no split of this ResNet; set its parameter split to "
                      "one of: " SPLITS_OF_8);
}

static void splits_come_in_order_with_their_shapes(void **state) {
  (void)state;
  static const struct {
    const char *name;
    gint64 shape[3];
  } expected[] = {
      {"conv1", {16, 32, 32}},    {"layer1.0", {16, 32, 32}}, {"layer1.1", {16, 32, 32}}, {"layer1", {16, 32, 32}},
      {"layer2.0", {32, 16, 16}}, {"layer2.1", {32, 16, 16}}, {"layer2", {32, 16, 16}},   {"layer3.0", {64, 8, 8}},
      {"layer3.1", {64, 8, 8}},   {"layer3", {64, 8, 8}},     {"avgpool", {64, 1, 1}},
  };
  const struct pair_config config = {
      .depth = 14, .width = 16, .shortcut = "projection", .split = "conv1", .head = "linear"};
  AUTO(pair) pair = pair_new(&config);
  for (guint k = 0; k < G_N_ELEMENTS(expected); k++) {
    const struct dvt_split *split = pair->extractor->ops->split(pair->extractor->self, k);
    assert_non_null(split);
    assert_string_equal(split->name, expected[k].name);
    assert_memory_equal(split->shape, expected[k].shape, sizeof split->shape);
  }
  assert_null(pair->extractor->ops->split(pair->extractor->self, G_N_ELEMENTS(expected)));
}

static float *make_images(void) {
  float *images = memory_floats(BATCH * IMAGE, NULL);
  assert_non_null(images);
  for (gint k = 0; k < BATCH * IMAGE; k++) images[k] = (float)(k * 7919 % 1000) / 500.0f - 1.0f;
  return images;
}

/* Wherever the network is cut, extractor and tail together have its weights once, and give the same logits. */
static void every_cut_gives_the_same_network(void **state) {
  (void)state;
  static const char *const splits[] = {"conv1",  "layer1.0", "layer1.1", "layer1", "layer2.0",
                                       "layer2", "layer3.0", "layer3.1", "layer3", "avgpool"};
  float *images = make_images(), first[BATCH * 10];
  guint weights = 0;
  for (guint k = 0; k < G_N_ELEMENTS(splits); k++) {
    const struct pair_config config = {
        .depth = 14, .width = 16, .shortcut = "projection", .split = splits[k], .head = "resnet-tail"};
    AUTO(pair) pair = pair_new(&config);
    pair_initialise(pair);
    pair_make_passes(pair, DVT_PASS_BATCH_STATISTICS, BATCH, 1);
    pair_forward(pair, BATCH, images);
    if (k == 0) {
      memcpy(first, pair->logits, sizeof first);
      weights = pair->extractor->weight_count + pair->head->weight_count;
    }
    assert_int_equal(pair->extractor->weight_count + pair->head->weight_count, weights);
    for (guint i = 0; i < BATCH * 10; i++) assert_float_equal(pair->logits[i], first[i], 1e-4);
  }
  free(images);
}

static void odd_widths_and_linear_heads_run(void **state) {
  (void)state;
  static const gint64 widths[] = {1, 5, 8, 12, 24};
  const gint32 labels[BATCH] = {3, 7};
  float *images = make_images();
  for (guint k = 0; k < G_N_ELEMENTS(widths); k++) {
    const struct pair_config config = {
        .depth = 8, .width = widths[k], .shortcut = "identity", .split = "layer3", .head = "linear"};
    AUTO(pair) pair = pair_new(&config);
    pair_initialise(pair);
    pair_make_passes(pair, DVT_PASS_BATCH_STATISTICS | DVT_PASS_BACKWARD, BATCH, 1);
    pair_forward(pair, BATCH, images);
    const double loss = pair_backward(pair, BATCH, labels);
    assert_true(loss > 0.0 && loss < 100.0);
  }
  free(images);
}

static void assert_begins(struct pair *pair, const char *name, enum dvt_initialiser initialiser, double value) {
  const struct module *owner = strstr(name, "layer3") ? pair->head : pair->extractor;
  const gint k = module_find(owner, name);
  assert_true(k >= 0);
  assert_int_equal(owner->weights[k]->initialiser, initialiser);
  assert_float_equal(owner->weights[k]->init_value, value, 1e-6);
}

static void convolutions_begin_as_asked(void **state) {
  (void)state;
  struct pair_config config = {
      .depth = 8, .width = 16, .shortcut = "projection", .split = "layer2", .head = "resnet-tail"};
  AUTO(pair) he = pair_new(&config);
  assert_begins(he, "layer2.0.conv1.weight", DVT_INIT_NORMAL, sqrt(2.0 / (32 * 9)));
  assert_begins(he, "layer3.0.shortcut.0.weight", DVT_INIT_NORMAL, sqrt(2.0 / 64));
  config.initialisation = "uniform";
  AUTO(pair) uniform = pair_new(&config);
  assert_begins(uniform, "layer2.0.conv1.weight", DVT_INIT_UNIFORM, sqrt(1.0 / (16 * 9)));
  assert_begins(uniform, "layer3.0.shortcut.0.weight", DVT_INIT_UNIFORM, sqrt(1.0 / 32));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(depths_and_splits_are_checked),          cmocka_unit_test(features_of_a_tail_are_checked),
      cmocka_unit_test(splits_come_in_order_with_their_shapes), cmocka_unit_test(every_cut_gives_the_same_network),
      cmocka_unit_test(odd_widths_and_linear_heads_run),        cmocka_unit_test(convolutions_begin_as_asked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
