/* SPDX-License-Identifier: MIT */
#include "config_test.h"

static void set(struct yaml_tree *tree, const char *assignment) {
  GError *error = NULL;
  if (!yaml_set(tree, assignment, &error)) fail_msg("%s", error->message);
}

static void expect_written(struct yaml_tree *tree, const char *text) {
  g_autofree char *written = yaml_write(yaml_root(tree));
  assert_string_equal(written, text);
}

static void expect_set_refused(const char *text, const char *assignment, const char *message) {
  AUTO(yaml_tree) tree = read_right(text);
  g_autofree char *before = yaml_write(yaml_root(tree));
  GError *error = NULL;
  assert_false(yaml_set(tree, assignment, &error));
  expect_error(&error, message);
  expect_written(tree, before);
}

static void replaces_values(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("seed: 1\ntrain: {epochs: 3, batch: 8}\n");
  set(tree, "train.epochs=5");
  set(tree, "seed=[1, 'two']");
  expect_written(tree, "seed:\n- 1\n- 'two'\ntrain:\n  epochs: 5\n  batch: 8\n");
}

static void makes_maps_on_the_way(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("name: x\n");
  set(tree, "train.schedule.kind=cosine");
  expect_written(tree, "name: x\ntrain:\n  schedule:\n    kind: cosine\n");
}

static void counts_list_items_from_0(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("aligners: [{plugin: a}, {plugin: b}]\n");
  set(tree, "aligners.1.weight=2");
  set(tree, "aligners.0=none");
  expect_written(tree, "aligners:\n- none\n- plugin: b\n  weight: 2\n");
}

static void a_star_is_every_key_and_every_item(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("nets: {a: &net {split: x}, b: *net}\nlist: [{w: 1}, {w: 2}]\nother: *net\n");
  set(tree, "nets.*.split=y");
  set(tree, "nets.b.split=z");
  set(tree, "list.*.w=3");
  expect_written(tree, "nets:\n  a:\n    split: y\n  b:\n    split: z\nlist:\n- w: 3\n- w: 3\nother:\n  split: x\n");
  set(tree, "nets.*=1");
  set(tree, "*=2");
  expect_written(tree, "nets: 2\nlist: 2\nother: 2\n");
}

static void leaves_other_users_of_an_anchor_alone(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("a: &net {head: {depth: 8}, split: layer2}\nb: *net\nc: {<<: *net}\n");
  set(tree, "b.split=layer1");
  set(tree, "c.head.depth=20");
  expect_written(tree, "a:\n  head:\n    depth: 8\n  split: layer2\n"
                       "b:\n  head:\n    depth: 8\n  split: layer1\n"
                       "c:\n  head:\n    depth: 20\n  split: layer2\n");
  set(tree, "a.head.depth=32");
  assert_string_equal(yaml_get(yaml_get(yaml_get(yaml_root(tree), "b"), "head"), "depth")->text, "8");
}

static void leaves_other_users_of_a_list_alone(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("a: &a [1, [2]]\nb: *a\n");
  set(tree, "b.1.0=3");
  expect_written(tree, "a:\n- 1\n- - 2\nb:\n- 1\n- - 3\n");
}

static void prefers_the_longest_key_that_fits(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("networks: {r: {split: a}, r.1: {split: a}, r.10: {split: a}}\n");
  set(tree, "networks.r.1.split=b");
  set(tree, "networks.r.split=c");
  expect_written(tree, "networks:\n  r:\n    split: c\n  r.1:\n    split: b\n  r.10:\n    split: a\n");
}

static void marks_what_it_set(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("name: x\n");
  set(tree, "träin.a=[1, 22]");
  const struct yaml_node *root = yaml_root(tree), *train = yaml_get(root, "träin");
  const struct yaml_node *key = root->keys->pdata[1], *value = yaml_get(train, "a"), *item = value->items->pdata[1];
  assert_string_equal(key->mark.file, "--set träin.a");
  assert_int_equal(key->mark.line, 1);
  assert_int_equal(key->mark.column, 1);
  assert_int_equal(train->mark.column, 7);
  assert_int_equal(value->mark.column, 9);
  assert_int_equal(item->mark.column, 13);
}

static void takes_keys_away(void **state) {
  (void)state;
  AUTO(yaml_tree) tree = read_right("train: {steps: 5, batch: 16}\nlist: [{a: 1, b: 2}]\n");
  set(tree, "train.steps=null");
  set(tree, "list.*.a=~");
  expect_written(tree, "train:\n  batch: 16\nlist:\n- b: 2\n");
}

static void refuses_wrong_assignments(void **state) {
  (void)state;
  const char *text = "seed: 1\nlist: [1, 2]\n";
  expect_set_refused(text, "seed", "--set:1:1: there is no '='; write PATH=VALUE, as in train.epochs=5");
  expect_set_refused(text, "=5",
                     "--set :1:1: a name is missing in the path; write names with dots between, as in train.epochs");
  expect_set_refused(
      text, "train..x=5",
      "--set train..x:1:7: a name is missing in the path; write names with dots between, as in train.epochs");
  expect_set_refused(text, "seed=", "--set seed:1:6: there is nothing here; write a YAML value");
  expect_set_refused(text, "seed.x=5",
                     "--set seed.x:1:6: nothing can lie below a scalar; end the path before this name");
  expect_set_refused(text, "list.2=5", "--set list.2:1:6: '2' is no item of this list of 2; items are numbered from 0");
  expect_set_refused(text, "list.-1=5",
                     "--set list.-1:1:6: '-1' is no item of this list of 2; items are numbered from 0");
  const char *no_star =
      "'*' stands for all keys of a map or all items of a list, and here are none; name what is meant";
  g_autofree char *scalar = g_strconcat("--set seed.*:1:6: ", no_star, NULL),
                  *missing = g_strconcat("--set new.*.x:1:5: ", no_star, NULL);
  expect_set_refused(text, "seed.*=5", scalar);
  expect_set_refused(text, "new.*.x=5", missing);
  expect_set_refused(text, "list.x.y=5",
                     "--set list.x.y:1:6: 'x' is no item of this list of 2; items are numbered from 0");
  expect_set_refused(text,
                     "se\xff"
                     "ed=5",
                     "--set:1:1: this is not UTF-8 text; write PATH=VALUE in UTF-8");
  expect_set_refused(
      text, "sed=null",
      "--set sed:1:1: there is no 'sed' that null could take away; write the name of a key that is there");
  expect_set_refused(
      text, "new.x=null",
      "--set new.x:1:5: there is no 'x' that null could take away; write the name of a key that is there");
  expect_set_refused(text, "*=null", "--set *:1:1: null takes one key away; write its name instead of '*'");
  expect_set_refused(text, "seed=[1",
                     "--set seed:1:8: did not find expected ',' or ']', while parsing a flow sequence from line 1 on");
  expect_set_refused(text, "seed=*x", "--set seed:1:6: no anchor '&x' comes before this alias");
}

static void limits_depth_and_size_as_in_a_file(void **state) {
  (void)state;
  GString *path = g_string_new("a");
  for (int k = 0; k < 64; k++) g_string_append(path, ".a");
  g_autofree char *refusal =
      g_strdup_printf("--set %s:1:131: nested deeper than 64 levels; write fewer levels", path->str);
  g_string_append(path, "=1");
  expect_set_refused("seed: 1", path->str, refusal);
  g_string_assign(path, "a=[1");
  for (int k = 0; k < YAML_MAX_NODES; k++) g_string_append(path, ",1");
  g_string_append(path, "]");
  expect_set_refused("seed: 1", path->str,
                     "--set a:1:199996: more than 100000 nodes, with those that aliases repeat; write fewer");
  g_string_free(path, TRUE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(replaces_values),
      cmocka_unit_test(makes_maps_on_the_way),
      cmocka_unit_test(counts_list_items_from_0),
      cmocka_unit_test(a_star_is_every_key_and_every_item),
      cmocka_unit_test(leaves_other_users_of_an_anchor_alone),
      cmocka_unit_test(leaves_other_users_of_a_list_alone),
      cmocka_unit_test(prefers_the_longest_key_that_fits),
      cmocka_unit_test(marks_what_it_set),
      cmocka_unit_test(takes_keys_away),
      cmocka_unit_test(refuses_wrong_assignments),
      cmocka_unit_test(limits_depth_and_size_as_in_a_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
