/* SPDX-License-Identifier: MIT */
#include "config_test.h"

#include "config/values.h"

static void numbers_take_every_usual_form(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double value;
  } cases[] = {{"1e-4", 1e-4}, {"1", 1},         {"-2.5", -2.5}, {"+.5", 0.5},
               {"3.", 3},      {"1.5E+3", 1500}, {"0", 0},       {"0e0", 0}};
  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    AUTO(yaml_tree) tree = read_right(cases[k].text);
    double value;
    assert_true(value_number(yaml_root(tree), -1e4, 1e4, &value, NULL));
    assert_true(value == cases[k].value);
  }
}

static void expect_no_number(const char *text, const char *message) {
  AUTO(yaml_tree) tree = read_right(text);
  GError *error = NULL;
  double value;
  assert_false(value_number(yaml_root(tree), 0, 10, &value, &error));
  expect_error(&error, message);
}

static void what_is_no_number_is_refused(void **state) {
  (void)state;
  expect_no_number("'5'", "t.yaml:1:1: '5' in quotes is not a number; write a number from 0 to 10");
  expect_no_number("!!str 5", "t.yaml:1:1: '5' in quotes is not a number; write a number from 0 to 10");
  expect_no_number(".inf", "t.yaml:1:1: '.inf' is not a number; write a number from 0 to 10");
  expect_no_number("inf", "t.yaml:1:1: 'inf' is not a number; write a number from 0 to 10");
  expect_no_number("nan", "t.yaml:1:1: 'nan' is not a number; write a number from 0 to 10");
  expect_no_number("0x10", "t.yaml:1:1: '0x10' is not a number; write a number from 0 to 10");
  expect_no_number("010", "t.yaml:1:1: '010' is not a number; write a number from 0 to 10");
  expect_no_number("1:30", "t.yaml:1:1: '1:30' is not a number; write a number from 0 to 10");
  expect_no_number("1e", "t.yaml:1:1: '1e' is not a number; write a number from 0 to 10");
  expect_no_number(".e1", "t.yaml:1:1: '.e1' is not a number; write a number from 0 to 10");
  expect_no_number("~", "t.yaml:1:1: an empty value is not a number; write a number from 0 to 10");
  expect_no_number("[1]", "t.yaml:1:1: a list is not a number; write a number from 0 to 10");
  expect_no_number("{}", "t.yaml:1:1: a map is not a number; write a number from 0 to 10");
  expect_no_number("11", "t.yaml:1:1: '11' is out of range; write a number from 0 to 10");
  expect_no_number("-0.1", "t.yaml:1:1: '-0.1' is out of range; write a number from 0 to 10");
  expect_no_number("1e999", "t.yaml:1:1: '1e999' is out of range; write a number from 0 to 10");
}

static void an_unlimited_number_is_finite(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("[1e308, -1e309]");
  struct yaml_node **items = (struct yaml_node **)yaml_root(tree)->items->pdata;
  GError *error = NULL;
  double value;
  assert_true(value_number(items[0], -G_MAXDOUBLE, G_MAXDOUBLE, &value, NULL));
  assert_false(value_number(items[1], -G_MAXDOUBLE, G_MAXDOUBLE, &value, &error));
  expect_error(&error, "t.yaml:1:9: '-1e309' is out of range; write a number");
}

static void expect_no_integer(const char *text, gint64 least, gint64 greatest, const char *message) {
  AUTO(yaml_tree) tree = read_right(text);
  GError *error = NULL;
  gint64 value;
  assert_false(value_integer(yaml_root(tree), least, greatest, &value, &error));
  expect_error(&error, message);
}

static void integers_are_decimal_and_in_range(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("[9223372036854775807, -9223372036854775808, +7]");
  static const gint64 values[] = {G_MAXINT64, G_MININT64, 7};
  for (guint k = 0; k < G_N_ELEMENTS(values); k++) {
    gint64 value;
    assert_true(value_integer(yaml_root(tree)->items->pdata[k], G_MININT64, G_MAXINT64, &value, NULL));
    assert_true(value == values[k]);
  }
  expect_no_integer("5.0", 1, 9, "t.yaml:1:1: '5.0' is not an integer; write an integer from 1 to 9");
  expect_no_integer("1e3", 1, 9, "t.yaml:1:1: '1e3' is not an integer; write an integer from 1 to 9");
  expect_no_integer("1_000", 1, 9, "t.yaml:1:1: '1_000' is not an integer; write an integer from 1 to 9");
  expect_no_integer("'5'", 1, 9, "t.yaml:1:1: '5' in quotes is not an integer; write an integer from 1 to 9");
  expect_no_integer("007", 1, 9, "t.yaml:1:1: '007' is not an integer; write an integer from 1 to 9");
  expect_no_integer("0", 1, 9, "t.yaml:1:1: '0' is out of range; write an integer from 1 to 9");
  expect_no_integer("10", 1, 9, "t.yaml:1:1: '10' is out of range; write an integer from 1 to 9");
  expect_no_integer("-1", 0, G_MAXINT64, "t.yaml:1:1: '-1' is out of range; write an integer of at least 0");
  expect_no_integer("1", G_MININT64, 0, "t.yaml:1:1: '1' is out of range; write an integer of at most 0");
  expect_no_integer(
      "9223372036854775808", G_MININT64, G_MAXINT64,
      "t.yaml:1:1: '9223372036854775808' is out of range; write an integer of at most 9223372036854775807");
}

static void booleans_are_those_of_yaml(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("[true, Yes, ON, false, no, Off]");
  for (guint k = 0; k < 6; k++) {
    gboolean value;
    assert_true(value_boolean(yaml_root(tree)->items->pdata[k], &value, NULL));
    assert_int_equal(value, k < 3);
  }
  AUTO(yaml_tree) wrong = read_right("[1, 'true', maybe]");
  static const char *const messages[] = {"t.yaml:1:2: '1' is not true or false; write one of them",
                                         "t.yaml:1:5: 'true' in quotes is not true or false; write one of them",
                                         "t.yaml:1:13: 'maybe' is not true or false; write one of them"};
  for (guint k = 0; k < G_N_ELEMENTS(messages); k++) {
    GError *error = NULL;
    gboolean value;
    assert_false(value_boolean(yaml_root(wrong)->items->pdata[k], &value, &error));
    expect_error(&error, messages[k]);
  }
}

static void strings_are_any_scalar_but_null(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("[layer2, 5, '', ~, []]");
  struct yaml_node **items = (struct yaml_node **)yaml_root(tree)->items->pdata;
  static const char *const strings[] = {"layer2", "5", ""};
  const char *value;
  for (guint k = 0; k < G_N_ELEMENTS(strings); k++) {
    assert_true(value_string(items[k], &value, NULL));
    assert_string_equal(value, strings[k]);
  }
  GError *error = NULL;
  assert_false(value_string(items[3], &value, &error));
  expect_error(&error, "t.yaml:1:17: an empty value is not a string; write one");
  assert_false(value_string(items[4], &value, &error));
  expect_error(&error, "t.yaml:1:20: a list is not a string; write one");
}

static void choices_suggest_the_nearest(void **state) {
  (void)state;
  static const char *const choices[] = {"step", "cosine", NULL};
  AUTO(yaml_tree) tree = read_right("[cosine, cosin, colour, {}]");
  struct yaml_node **items = (struct yaml_node **)yaml_root(tree)->items->pdata;
  unsigned choice;
  assert_true(value_choice(items[0], choices, &choice, NULL));
  assert_int_equal(choice, 1);
  GError *error = NULL;
  assert_false(value_choice(items[1], choices, &choice, &error));
  expect_error(&error, "t.yaml:1:10: 'cosin' is not one of step, cosine; did you mean 'cosine'?");
  assert_false(value_choice(items[2], choices, &choice, &error));
  expect_error(&error, "t.yaml:1:17: 'colour' is not one of step, cosine; write one of them");
  assert_false(value_choice(items[3], choices, &choice, &error));
  expect_error(&error, "t.yaml:1:25: a map is not a string; write one");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_take_every_usual_form), cmocka_unit_test(what_is_no_number_is_refused),
      cmocka_unit_test(an_unlimited_number_is_finite), cmocka_unit_test(integers_are_decimal_and_in_range),
      cmocka_unit_test(booleans_are_those_of_yaml),    cmocka_unit_test(strings_are_any_scalar_but_null),
      cmocka_unit_test(choices_suggest_the_nearest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
