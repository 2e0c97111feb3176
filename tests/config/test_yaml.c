/* SPDX-License-Identifier: MIT */
#include "config_test.h"
#include "scratch.h"

static const struct yaml_node *at(const struct yaml_node *map, const char *key) {
  const struct yaml_node *node = yaml_get(map, key);
  assert_non_null(node);
  return node;
}

static void assert_text(const struct yaml_node *node, const char *text) {
  assert_int_equal(node->kind, YAML_SCALAR);
  assert_string_equal(node->text, text);
}

static void assert_place(const struct yaml_node *node, unsigned line, unsigned column) {
  assert_string_equal(node->mark.file, "t.yaml");
  assert_int_equal(node->mark.line, line);
  assert_int_equal(node->mark.column, column);
}

static void knows_kinds_texts_and_places(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("a: 1\nünï: [x, 'y']\nc:\n  d: |\n    text\n");
  const struct yaml_node *root = yaml_root(tree);
  assert_int_equal(root->kind, YAML_MAP);
  assert_text(at(root, "a"), "1");
  assert_place(at(root, "a"), 1, 4);
  const struct yaml_node *list = at(root, "ünï");
  assert_int_equal(list->kind, YAML_LIST);
  assert_int_equal(list->items->len, 2);
  assert_false(((struct yaml_node *)list->items->pdata[0])->quoted);
  assert_true(((struct yaml_node *)list->items->pdata[1])->quoted);
  assert_place(list->items->pdata[1], 2, 10);
  assert_text(at(at(root, "c"), "d"), "text\n");
  assert_true(at(at(root, "c"), "d")->quoted);
  assert_place(root->keys->pdata[2], 3, 1);
  assert_null(yaml_get(root, "d"));
}

static void a_byte_order_mark_is_not_part_of_the_text(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("\xef\xbb\xbf"
                                    "a: 1\n");
  assert_text(at(yaml_root(tree), "a"), "1");
  assert_place(at(yaml_root(tree), "a"), 1, 4);
}

static void knows_null(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("[~, null, '', '~', nil, {a: }]");
  struct yaml_node **items = (struct yaml_node **)yaml_root(tree)->items->pdata;
  assert_true(yaml_is_null(items[0]));
  assert_true(yaml_is_null(items[1]));
  assert_false(yaml_is_null(items[2]));
  assert_false(yaml_is_null(items[3]));
  assert_false(yaml_is_null(items[4]));
  assert_false(yaml_is_null(items[5]));
  assert_true(yaml_is_null(at(items[5], "a")));
}

static void standard_tags_decide_about_quotes(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("[!!str 5, !!int '5', ! 5, !!float 1, !!seq [], !!map {}]");
  struct yaml_node **items = (struct yaml_node **)yaml_root(tree)->items->pdata;
  assert_true(items[0]->quoted);
  assert_false(items[1]->quoted);
  assert_true(items[2]->quoted);
  assert_false(items[3]->quoted);
}

static void aliases_repeat_what_the_anchor_named_last(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("a: &x {k: 1}\nb: *x\nc: &x 2\nd: *x\n*x : 3\n");
  const struct yaml_node *root = yaml_root(tree);
  assert_text(at(at(root, "b"), "k"), "1");
  assert_place(at(at(root, "b"), "k"), 1, 11);
  assert_text(at(root, "d"), "2");
  assert_text(at(root, "2"), "3");
}

static void own_keys_win_over_merged_ones(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("base: &base {a: 1, b: 2}\nuse:\n  b: 3\n  <<: *base\n  c: 4\n");
  const struct yaml_node *use = at(yaml_root(tree), "use");
  assert_int_equal(use->keys->len, 3);
  assert_text(use->keys->pdata[0], "b");
  assert_text(use->keys->pdata[1], "c");
  assert_text(use->keys->pdata[2], "a");
  assert_text(at(use, "a"), "1");
  assert_text(at(use, "b"), "3");
  assert_place(at(use, "a"), 1, 17);
}

static void earlier_maps_of_a_merge_list_win(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("x: &x {a: 1}\ny: &y {a: 2, b: 2}\nuse: {<<: [*x, *y, {b: 9, c: 9}]}\n");
  const struct yaml_node *use = at(yaml_root(tree), "use");
  assert_text(at(use, "a"), "1");
  assert_text(at(use, "b"), "2");
  assert_text(at(use, "c"), "9");
}

static void merges_go_through_merges(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: *y, a: 3}\n");
  assert_text(at(at(yaml_root(tree), "z"), "a"), "3");
  assert_text(at(at(yaml_root(tree), "z"), "b"), "2");
}

static void a_quoted_merge_key_is_a_key(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("'<<': 5\n");
  assert_text(at(yaml_root(tree), "<<"), "5");
}

static void refuses_what_does_not_merge(void **state) {
  (void)state;
  EXPECT_REFUSED("a:\n  <<: 5\n", "t.yaml:2:3: '<<' merges something that is no map; give it a map or a list of maps");
  EXPECT_REFUSED("a: &a [x]\nb: {<<: *a}\n",
                 "t.yaml:2:5: '<<' merges something that is no map; give it a map or a list of maps");
  EXPECT_REFUSED("a: &a {}\nb: {<<: *a, <<: *a}\n", "t.yaml:2:13: duplicate key '<<'; it is already at 2:5");
}

static void refuses_duplicate_keys(void **state) {
  (void)state;
  EXPECT_REFUSED("a: 1\nb: {c: 1, d: 2,\n  c: 3}\n", "t.yaml:3:3: duplicate key 'c'; it is already at 2:5");
  EXPECT_REFUSED("a: 1\n\"a\": 2\n", "t.yaml:2:1: duplicate key 'a'; it is already at 1:1");
}

static void refuses_keys_that_are_no_names(void **state) {
  (void)state;
  EXPECT_REFUSED("a: 1\n? [b]\n: 2\n", "t.yaml:2:3: a key is no scalar; write a name before ':'");
  EXPECT_REFUSED("?\n: 2\n", "t.yaml:1:2: a key is missing; write a name before ':'");
}

static void refuses_wrong_aliases(void **state) {
  (void)state;
  EXPECT_REFUSED("net: &net {}\nb: *nte\n",
                 "t.yaml:2:4: no anchor '&nte' comes before this alias; did you mean 'net'?");
  EXPECT_REFUSED("a: &a\n  b: [1, *a]\n",
                 "t.yaml:2:10: '*a' stands inside '&a' itself; an alias repeats what is complete");
}

static void refuses_foreign_tags(void **state) {
  (void)state;
  EXPECT_REFUSED("a: !!python/object x\n",
                 "t.yaml:1:4: the tag 'tag:yaml.org,2002:python/object' does not belong here; leave it out");
  EXPECT_REFUSED("a: !mine {}\n", "t.yaml:1:4: the tag '!mine' does not belong here; leave it out");
  EXPECT_REFUSED("a: !!seq {}\n", "t.yaml:1:4: the tag 'tag:yaml.org,2002:seq' does not belong here; leave it out");
}

static void refuses_empty_texts_and_second_documents(void **state) {
  (void)state;
  EXPECT_REFUSED("", "t.yaml:1:1: there is nothing here; write a YAML value");
  EXPECT_REFUSED("# a: 1\n\n", "t.yaml:1:1: there is nothing here; write a YAML value");
  EXPECT_REFUSED("a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document begins here; keep to one");
}

static void refuses_bytes_that_are_no_text(void **state) {
  (void)state;
  EXPECT_REFUSED("ä: 1\nö: ü\xff\n", "t.yaml:2:5: the byte 0xff is not UTF-8 text here; save the file as UTF-8");
  expect_refused("a: \0b", 5, "t.yaml:1:4: the byte 0x00 is not UTF-8 text here; save the file as UTF-8");
  expect_refused("\xff\xfe"
                 "a\0",
                 4, "t.yaml:1:1: the byte 0xff is not UTF-8 text here; save the file as UTF-8");
  EXPECT_REFUSED("a: 1\nb: \x01\n", "t.yaml:2:4: control characters are not allowed; remove this character");
  EXPECT_REFUSED("a: \"x\\0y\"\n", "t.yaml:1:4: the text holds a NUL character; remove '\\0'");
}

static void reports_broken_syntax_at_its_place(void **state) {
  (void)state;
  EXPECT_REFUSED("a: [1, 2\nb: 3\n",
                 "t.yaml:2:2: did not find expected ',' or ']', while parsing a flow sequence from line 1 on");
  EXPECT_REFUSED("a: b: c\n", "t.yaml:1:5: mapping values are not allowed in this context");
  EXPECT_REFUSED("a:\n\tb: 1\n",
                 "t.yaml:2:1: found character that cannot start any token, while scanning for the next token from line "
                 "2 on");
}

static void defuses_an_alias_bomb(void **state) {
  (void)state;
  g_autoptr(GString) bomb = g_string_new("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
  for (int k = 1; k < 30; k++) {
    g_string_append_printf(bomb, "a%d: &a%d [", k, k);
    for (int i = 0; i < 10; i++) g_string_append_printf(bomb, "*a%d%s", k - 1, i < 9 ? ", " : "]\n");
  }
  EXPECT_REFUSED(bomb->str, "t.yaml:5:45: more than 100000 nodes, with those that aliases repeat; write fewer");
}

/* Merged keys cost memory even where they are shared. */
static void defuses_a_merge_bomb(void **state) {
  (void)state;
  g_autoptr(GString) bomb = g_string_new("a: &a\n");
  for (int k = 0; k < 1000; k++) g_string_append_printf(bomb, "  k%d: 1\n", k);
  for (int k = 0; k < 1000; k++) g_string_append_printf(bomb, "b%d: {<<: *a}\n", k);
  EXPECT_REFUSED(bomb->str, "t.yaml:1050:11: more than 100000 nodes, with those that aliases repeat; write fewer");
}

static void aliases_nest_no_deeper_than_brackets(void **state) {
  (void)state;
  g_autoptr(GString) text = g_string_new("a0: &a0 [x]\n");
  for (int k = 1; k < 80; k++) g_string_append_printf(text, "a%d: &a%d [*a%d]\n", k, k, k - 1);
  EXPECT_REFUSED(text->str, "t.yaml:63:12: nested deeper than 64 levels; write fewer levels");
}

static void allows_64_levels_and_no_more(void **state) {
  (void)state;
  const char *open = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[";
  const char *close = "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]";
  g_autofree char *fits = g_strconcat(open, close, NULL), *exceeds = g_strconcat("[", fits, "]", NULL);
  AUTO(yaml_tree) tree = read_right(fits);
  assert_int_equal(yaml_root(tree)->kind, YAML_LIST);
  EXPECT_REFUSED(exceeds, "t.yaml:1:65: nested deeper than 64 levels; write fewer levels");
}

static void refuses_a_megabyte_of_brackets(void **state) {
  (void)state;
  for (const char *bracket = "[{"; *bracket; bracket++) {
    g_autofree char *brackets = g_strnfill(1 << 20, *bracket);
    EXPECT_REFUSED(brackets, "t.yaml:1:65: nested deeper than 64 levels; write fewer levels");
  }
}

static void expect_file_refused(const char *path, const char *reason) {
  GError *error = NULL;
  g_autofree char *message = g_strconcat(path, reason, NULL);
  assert_null(yaml_read_file(path, &error));
  expect_error(&error, message);
}

static void reads_files_and_says_why_not(void **state) {
  g_autofree char *path = scratch_path(state, "a.yaml");
  expect_file_refused(path, ": No such file or directory; name a YAML file that you may read");
  expect_file_refused(*state, ": Is a directory; name a YAML file that you may read");
  expect_file_refused("/dev/zero", ": longer than 16 MB; name a YAML file");
  assert_true(g_file_set_contents(path, "a: 1\n", -1, NULL));
  AUTO(yaml_tree) tree = yaml_read_file(path, NULL);
  assert_non_null(tree);
  assert_string_equal(yaml_root(tree)->mark.file, path);
  assert_true(g_file_set_contents(path, "", -1, NULL));
  expect_file_refused(path, ":1:1: there is nothing here; write a YAML value");
}

static void shows_long_and_odd_texts_safely(void **state) {
  (void)state;
  g_autofree char *odd = yaml_shown("ä\n\x1b[31m");
  assert_string_equal(odd, "'ä??[31m'");
  g_autofree char *text = g_strnfill(1 << 20, 'x'), *cut = yaml_shown(text);
  assert_string_equal(cut, "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_kinds_texts_and_places),
      cmocka_unit_test(a_byte_order_mark_is_not_part_of_the_text),
      cmocka_unit_test(knows_null),
      cmocka_unit_test(standard_tags_decide_about_quotes),
      cmocka_unit_test(aliases_repeat_what_the_anchor_named_last),
      cmocka_unit_test(own_keys_win_over_merged_ones),
      cmocka_unit_test(earlier_maps_of_a_merge_list_win),
      cmocka_unit_test(merges_go_through_merges),
      cmocka_unit_test(a_quoted_merge_key_is_a_key),
      cmocka_unit_test(refuses_what_does_not_merge),
      cmocka_unit_test(refuses_duplicate_keys),
      cmocka_unit_test(refuses_keys_that_are_no_names),
      cmocka_unit_test(refuses_wrong_aliases),
      cmocka_unit_test(refuses_foreign_tags),
      cmocka_unit_test(refuses_empty_texts_and_second_documents),
      cmocka_unit_test(refuses_bytes_that_are_no_text),
      cmocka_unit_test(reports_broken_syntax_at_its_place),
      cmocka_unit_test(defuses_an_alias_bomb),
      cmocka_unit_test(defuses_a_merge_bomb),
      cmocka_unit_test(aliases_nest_no_deeper_than_brackets),
      cmocka_unit_test(allows_64_levels_and_no_more),
      cmocka_unit_test(refuses_a_megabyte_of_brackets),
      SCRATCH_TEST(reads_files_and_says_why_not),
      cmocka_unit_test(shows_long_and_odd_texts_safely),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
