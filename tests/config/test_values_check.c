/* SPDX-License-Identifier: MIT */
#include "config_test.h"

#include <math.h>

#include "config/values.h"

static const char *const shortcuts[] = {"projection", "identity", NULL};
static const char *const colours[] = {"red", "green", NULL};

static const struct dvt_param table[] = {
    {.name = "depth", .type = DVT_TYPE_INT, .initial = "8", .least = 8, .greatest = 1202, .doc = "Layers."},
    {.name = "scale", .type = DVT_TYPE_FLOAT, .initial = "1e-4", .doc = "Factor."},
    {.name = "fast", .type = DVT_TYPE_BOOL, .initial = "yes", .doc = "Speed."},
    {.name = "shortcut", .type = DVT_TYPE_STRING, .initial = "projection", .choices = shortcuts, .doc = "Kind."},
    {.name = "note", .type = DVT_TYPE_STRING, .initial = "", .doc = "Anything."},
    {.name = "folder", .type = DVT_TYPE_PATH, .initial = "data/x", .doc = "Where."},
    {.name = "colours", .type = DVT_TYPE_STRINGS, .initial = "", .choices = colours, .doc = "Some."},
};

static const struct mark owner = {"configs/e.yaml", 3, 7};

static struct values *check(const struct yaml_node *params, GError **error) {
  return values_check("net", table, sizeof table[0], G_N_ELEMENTS(table), params, owner, error);
}

static char *from_here(const char *path) {
  g_autofree char *here = g_get_current_dir();
  return g_build_filename(here, path, NULL);
}

static void defaults_fill_every_row(void **state) {
  (void)state;
  AUTO(values) values = check(NULL, NULL);
  assert_non_null(values);
  assert_int_equal(values->count, G_N_ELEMENTS(table));
  for (guint k = 0; k < values->count; k++) assert_int_equal(values->value[k].type, table[k].type);
  assert_int_equal(values->value[0].integer, 8);
  assert_true(values->value[1].number == 1e-4);
  assert_int_equal(values->value[2].integer, 1);
  assert_string_equal(values->value[3].string, "projection");
  assert_string_equal(values->value[4].string, "");
  g_autofree char *folder = from_here("configs/data/x");
  assert_string_equal(values->value[5].string, folder);
  assert_int_equal(values->value[6].count, 0);
}

static void given_values_win(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("{colours: [green, red], depth: 20, scale: 2, fast: off, note: 5, folder: ../a/b}");
  AUTO(values) values = check(yaml_root(tree), NULL);
  assert_non_null(values);
  assert_int_equal(values->value[0].integer, 20);
  assert_true(values->value[1].number == 2);
  assert_int_equal(values->value[2].integer, 0);
  assert_string_equal(values->value[4].string, "5");
  assert_int_equal(values->value[6].count, 2);
  assert_string_equal(values->value[6].strings[0], "green");
  assert_string_equal(values->value[6].strings[1], "red");
}

static void one_string_is_a_list_of_one(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("{colours: red}");
  AUTO(values) values = check(yaml_root(tree), NULL);
  assert_non_null(values);
  assert_int_equal(values->value[6].count, 1);
  assert_string_equal(values->value[6].strings[0], "red");
}

static void expect_path(const char *file, const char *text, const char *path) {
  AUTO(yaml_tree) tree = yaml_read_text(file, text, strlen(text), NULL);
  AUTO(values) values = check(yaml_root(tree), NULL);
  assert_non_null(values);
  assert_string_equal(values->value[5].string, path);
}

static void paths_are_relative_to_their_file(void **state) {
  (void)state;
  expect_path("/etc/lab/e.yaml", "folder: ../data", "/etc/data");
  expect_path("/etc/lab/e.yaml", "folder: /data", "/data");
  expect_path("/etc/lab/e.yaml", "folder: ''", "");
  g_autofree char *relative = from_here("configs/data"), *typed = from_here("data");
  expect_path("configs/e.yaml", "folder: data", relative);
  expect_path("--set", "folder: data", typed);
}

static void expect_params_refused(const char *text, const char *message) {
  AUTO(yaml_tree) tree = read_right(text);
  GError *error = NULL;
  assert_null(check(yaml_root(tree), &error));
  expect_error(&error, message);
}

static void errors_name_plugin_parameter_and_what_is_right(void **state) {
  (void)state;
  expect_params_refused("{dept: 8}", "t.yaml:1:2: plugin 'net' has no parameter 'dept'; did you mean 'depth'?");
  expect_params_refused("{zzz: 8}", "t.yaml:1:2: plugin 'net' has no parameter 'zzz'; known: depth, scale, fast, "
                                    "shortcut, note, folder, colours");
  expect_params_refused("[depth]", "t.yaml:1:1: params of plugin 'net' are not a map; write {name: value}");
  expect_params_refused("depth: 7", "t.yaml:1:8: plugin 'net', parameter 'depth': '7' is out of range; write an "
                                    "integer from 8 to 1202");
  expect_params_refused("scale: x", "t.yaml:1:8: plugin 'net', parameter 'scale': 'x' is not a number; write a number");
  expect_params_refused("fast: 2", "t.yaml:1:7: plugin 'net', parameter 'fast': '2' is not true or false; write one of "
                                   "them");
  expect_params_refused("shortcut: identiy", "t.yaml:1:11: plugin 'net', parameter 'shortcut': 'identiy' is not one of "
                                             "projection, identity; did you mean 'identity'?");
  expect_params_refused("folder: ", "t.yaml:1:8: plugin 'net', parameter 'folder': an empty value is not a string; "
                                    "write one");
  expect_params_refused("colours: [red, blue]", "t.yaml:1:16: plugin 'net', parameter 'colours': 'blue' is not one of "
                                                "red, green; write one of them");
  expect_params_refused("colours: {red: 1}", "t.yaml:1:10: plugin 'net', parameter 'colours': a map is not a list of "
                                             "strings; write one");
}

static void expect_row_refused(struct dvt_param param, const char *text, const char *message) {
  AUTO(yaml_tree) tree = read_right(text);
  GError *error = NULL;
  assert_null(values_check("net", &param, sizeof param, 1, yaml_root(tree), owner, &error));
  expect_error(&error, message);
}

static void a_range_may_have_one_end(void **state) {
  (void)state;
  struct dvt_param param = {.name = "ray", .type = DVT_TYPE_FLOAT, .greatest = (double)INFINITY};
  expect_row_refused(param, "ray: -1",
                     "t.yaml:1:6: plugin 'net', parameter 'ray': '-1' is out of range; write a number of at least 0");
  param = (struct dvt_param){.name = "ray", .type = DVT_TYPE_FLOAT, .least = -(double)INFINITY, .greatest = 5};
  expect_row_refused(param, "ray: 6",
                     "t.yaml:1:6: plugin 'net', parameter 'ray': '6' is out of range; write a number of at most 5");
}

static void missing_and_defective_parameters_are_reported_at_the_owner(void **state) {
  (void)state;
  struct dvt_param param = {.name = "path", .type = DVT_TYPE_PATH, .doc = "Folder with the data"};
  expect_row_refused(param, "{}",
                     "configs/e.yaml:3:7: plugin 'net' needs the parameter 'path' (Folder with the data); "
                     "write it under params");
  param = (struct dvt_param){.name = "n", .type = DVT_TYPE_INT, .initial = "few"};
  expect_row_refused(param, "{}",
                     "configs/e.yaml:3:7: plugin 'net', parameter 'n': the plugin's own default: 'few' is "
                     "not an integer; write an integer");
  param.initial = "[";
  expect_row_refused(param, "{}",
                     "configs/e.yaml:3:7: plugin 'net', parameter 'n': the plugin's own default: "
                     "default:1:2: did not find expected node content, while parsing a flow node from "
                     "line 1 on");
  param.type = 77;
  expect_row_refused(param, "n: 1",
                     "t.yaml:1:4: plugin 'net', parameter 'n': its type 77 is unknown here; update "
                     "Dovetail");
}

static void a_plugin_without_parameters_says_so(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("{depth: 8}");
  AUTO(values) none = values_check("linear", NULL, sizeof(struct dvt_param), 0, NULL, owner, NULL);
  assert_non_null(none);
  GError *error = NULL;
  assert_null(values_check("linear", NULL, sizeof(struct dvt_param), 0, yaml_root(tree), owner, &error));
  expect_error(&error, "t.yaml:1:2: plugin 'linear' has no parameter 'depth'; it has none at all");
}

/* As a table of a later ABI, whose rows have grown. */
static void rows_may_be_longer_than_ours(void **state) {
  (void)state;
  struct {
    struct dvt_param param;
    const char *later;
  } rows[2] = {{table[0], "x"}, {table[4], "y"}};
  AUTO(yaml_tree) tree = read_right("{note: hello, depth: 9}");
  AUTO(values) values = values_check("net", &rows[0].param, sizeof rows[0], 2, yaml_root(tree), owner, NULL);
  assert_non_null(values);
  assert_int_equal(values->value[0].integer, 9);
  assert_string_equal(values->value[1].string, "hello");
}

static void unlimited_and_enormous_ranges_hold_every_integer(void **state) {
  (void)state;
  const struct dvt_param params[] = {
      {.name = "any", .type = DVT_TYPE_INT, .initial = "9223372036854775807"},
      {.name = "wide", .type = DVT_TYPE_INT, .initial = "-9223372036854775808", .least = -1e300, .greatest = 1e300},
  };
  AUTO(values) values = values_check("net", params, sizeof params[0], 2, NULL, owner, NULL);
  assert_non_null(values);
  assert_true(values->value[0].integer == G_MAXINT64);
  assert_true(values->value[1].integer == G_MININT64);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_fill_every_row),
      cmocka_unit_test(given_values_win),
      cmocka_unit_test(one_string_is_a_list_of_one),
      cmocka_unit_test(paths_are_relative_to_their_file),
      cmocka_unit_test(errors_name_plugin_parameter_and_what_is_right),
      cmocka_unit_test(a_range_may_have_one_end),
      cmocka_unit_test(missing_and_defective_parameters_are_reported_at_the_owner),
      cmocka_unit_test(a_plugin_without_parameters_says_so),
      cmocka_unit_test(rows_may_be_longer_than_ours),
      cmocka_unit_test(unlimited_and_enormous_ranges_hold_every_integer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
