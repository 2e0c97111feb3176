/* SPDX-License-Identifier: MIT */
#include "config_test.h"

#include "config/yaml_write.h"

static void assert_same(const struct yaml_node *a, const struct yaml_node *b) {
  assert_int_equal(a->kind, b->kind);
  assert_int_equal(yaml_is_null(a), yaml_is_null(b));
  if (a->kind == YAML_SCALAR) {
    if (!yaml_is_null(a)) assert_string_equal(a->text, b->text);
    return;
  }
  assert_int_equal(a->items->len, b->items->len);
  for (guint k = 0; k < a->items->len; k++) {
    if (a->kind == YAML_MAP) assert_same(a->keys->pdata[k], b->keys->pdata[k]);
    assert_same(a->items->pdata[k], b->items->pdata[k]);
  }
}

static void expect_round_trip(const char *text) {
  AUTO(yaml_tree) first = read_right(text);
  g_autofree char *written = yaml_write(yaml_root(first));
  AUTO(yaml_tree) second = read_right(written);
  assert_same(yaml_root(first), yaml_root(second));
}

static void nodes_read_back_the_same(void **state) {
  (void)state;
  expect_round_trip("{a: [], b: {}, c: [[1, [2]], {d: e}], f: , 'g h': ~}");
  expect_round_trip(
      "['', ' x ', '#', 'a: b', '- a', \"\\t\\n\\u263a\\x07\", \"'\", '\"', '*a', '&a', '!x', '%', '@', '`']");
  expect_round_trip("- |\n  two\n  lines\n- >\n  folded\n  text\n\n  more\n- plain\n  on two lines\n\n  and a third\n");
  expect_round_trip("'<<': 1\n'a b': 2\n");
  expect_round_trip("a, b] c: x [y], {z}\nurl: http://x/#y\n");
  expect_round_trip("just text");
  expect_round_trip("ünïcödé: 'ẞ 漢字 🙂'");
}

static void quotes_stay_quotes(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("a: '5'\nb: 5\n'<<': 'true'\n");
  g_autofree char *written = yaml_write(yaml_root(tree));
  assert_string_equal(written, "a: '5'\nb: 5\n'<<': 'true'\n");
}

static void aliases_are_written_out(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("a: &x {k: 1}\nb: *x\nc: {<<: *x}\n");
  g_autofree char *written = yaml_write(yaml_root(tree));
  assert_string_equal(written, "a:\n  k: 1\nb:\n  k: 1\nc:\n  k: 1\n");
}

static void strings_stay_strings(void **state) {
  (void)state;
  static const char *const strings[] = {"layer2.0", "",    "null", "Yes", "off", "5",  "-x", ".5", "~",
                                        "a: b",     "1e3", "é\n",  " x",  "#x",  "=x", "<<", "x y"};
  struct yaml_writer *writer = yaml_writer_new();
  yaml_write_begin(writer, YAML_LIST);
  for (guint k = 0; k < G_N_ELEMENTS(strings); k++) yaml_write_string(writer, strings[k]);
  yaml_write_end(writer, YAML_LIST);
  g_autofree char *text = yaml_writer_finish(writer);
  assert_true(g_str_has_prefix(text, "- layer2.0\n- ''\n- 'null'\n- 'Yes'\n- 'off'\n- '5'\n"));
  AUTO(yaml_tree) tree = read_right(text);
  for (guint k = 0; k < G_N_ELEMENTS(strings); k++) {
    const struct yaml_node *item = yaml_root(tree)->items->pdata[k];
    assert_string_equal(item->text, strings[k]);
    assert_false(yaml_is_null(item));
  }
}

static void numbers_are_short_and_exact(void **state) {
  (void)state;
  static const double numbers[] = {0.1, 1e-4, 1, 1.0 / 3, 1e300, 5e-324, 0.1 + 0.2};
  struct yaml_writer *writer = yaml_writer_new();
  yaml_write_begin(writer, YAML_LIST);
  for (guint k = 0; k < G_N_ELEMENTS(numbers); k++) yaml_write_number(writer, numbers[k]);
  yaml_write_integer(writer, G_MININT64);
  yaml_write_boolean(writer, TRUE);
  yaml_write_boolean(writer, FALSE);
  yaml_write_end(writer, YAML_LIST);
  g_autofree char *text = yaml_writer_finish(writer);
  assert_string_equal(text, "- 0.1\n- 0.0001\n- 1\n- 0.3333333333333333\n- 1e+300\n- 4.94065645841247e-324\n"
                            "- 0.30000000000000004\n- -9223372036854775808\n- true\n- false\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nodes_read_back_the_same),    cmocka_unit_test(quotes_stay_quotes),
      cmocka_unit_test(aliases_are_written_out),     cmocka_unit_test(strings_stay_strings),
      cmocka_unit_test(numbers_are_short_and_exact),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
