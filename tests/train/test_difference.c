/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "train/difference.h"

static const char *const classes[] = {"cat", "dog"}, *const swapped[] = {"dog", "cat"};
static const float half[] = {0.5f, 0.5f, 0.5f}, third[] = {0.3f, 0.5f, 0.5f};

static const struct component_info head = {
    .kind = "head",
    .plugin = "resnet-tail",
    .params = "{\"depth\": 20, \"width\": 16}",
    .split = "layer2",
    .input = {32, 16, 16},
    .output = {2, 1, 1},
    .class_names = classes,
    .class_count = 2,
    .mean = half,
    .deviation = half,
    .channel_count = 3,
};

static void expect_difference(const struct component_info *other, const char *what, const char *one,
                              const char *second) {
  struct difference difference;
  assert_true(difference_find(&head, other, &difference));
  assert_string_equal(difference.what, what);
  assert_string_equal(difference.one, one);
  assert_string_equal(difference.other, second);
  difference_clear(&difference);
}

static void each_is_found_and_shown(void **state) {
  (void)state;
  struct component_info other = head;
  other.kind = "extractor";
  expect_difference(&other, "kind", "head", "extractor");
  other = head, other.plugin = "linear";
  expect_difference(&other, "plugin", "resnet-tail", "linear");
  other = head, other.params = "{\"depth\": 56, \"width\": 16}";
  expect_difference(&other, "parameters", "{\"depth\": 20, \"width\": 16}", "{\"depth\": 56, \"width\": 16}");
  other = head, other.split = "layer1";
  expect_difference(&other, "split", "layer2", "layer1");
  other = head, other.input[2] = 8;
  expect_difference(&other, "input shape", "32×16×16", "32×16×8");
  other = head, other.output[0] = 3;
  expect_difference(&other, "output shape", "2×1×1", "3×1×1");
  other = head, other.class_names = swapped;
  expect_difference(&other, "classes", "cat, dog", "dog, cat");
  other = head, other.mean = third;
  expect_difference(&other, "image channels", "0.5 ± 0.5, 0.5 ± 0.5, 0.5 ± 0.5", "0.3 ± 0.5, 0.5 ± 0.5, 0.5 ± 0.5");
}

static void expect_none(const struct component_info *one, const struct component_info *other) {
  struct difference difference;
  assert_false(difference_find(one, other, &difference));
}

static void the_order_and_spacing_of_parameters_do_not_matter(void **state) {
  (void)state;
  struct component_info other = head;
  other.params = "{\"width\":16,\"depth\":20}";
  expect_none(&head, &other);
}

static void a_parameter_that_one_version_lacks_is_no_difference(void **state) {
  (void)state;
  struct component_info newer = head;
  newer.params = "{\"colour\": \"red\", \"depth\": 20, \"width\": 16}";
  expect_none(&head, &newer);
  expect_none(&newer, &head);
  newer.params = "{\"colour\": \"red\", \"depth\": 56}";
  expect_difference(&newer, "parameters", "{\"depth\": 20}", "{\"depth\": 56}");
}

static void what_is_not_said_is_no_difference(void **state) {
  (void)state;
  const struct component_info silent = {.kind = "head"};
  expect_none(&head, &silent);
  expect_none(&silent, &head);
}

static void an_extractor_fits_whatever_its_classes_were(void **state) {
  (void)state;
  struct component_info one = head, other = head;
  one.kind = other.kind = "extractor";
  other.class_names = swapped;
  expect_none(&one, &other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_is_found_and_shown),
      cmocka_unit_test(the_order_and_spacing_of_parameters_do_not_matter),
      cmocka_unit_test(a_parameter_that_one_version_lacks_is_no_difference),
      cmocka_unit_test(what_is_not_said_is_no_difference),
      cmocka_unit_test(an_extractor_fits_whatever_its_classes_were),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
