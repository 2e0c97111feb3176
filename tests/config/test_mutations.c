/* SPDX-License-Identifier: MIT */
/* Whatever happens to a file, reading it ends with an experiment or with an error that has a place. */
#include "experiment_test.h"

static void read_damaged(void **state, const char *text, gsize length, guint *good) {
  g_autoptr(GError) error = NULL;
  AUTO(experiment) experiment = read_experiment(state, text, length, NULL, &error);
  if (!experiment) {
    g_autofree char *path = experiment_path(state);
    unsigned line, column;
    assert_non_null(error);
    assert_true(g_str_has_prefix(error->message, path));
    assert_int_equal(sscanf(error->message + strlen(path), ":%u:%u: ", &line, &column), 2);
    assert_true(line >= 1 && column >= 1);
    assert_int_equal(error->code, DOVETAIL_WRONG);
    assert_true(g_utf8_validate(error->message, -1, NULL));
    return;
  }
  g_autofree char *resolved = experiment_resolved(experiment, NULL);
  AUTO(experiment) again = read_good(state, resolved, NULL);
  g_autofree char *twice = experiment_resolved(again, NULL);
  assert_string_equal(resolved, twice);
  ++*good;
}

static void truncations_are_errors_or_experiments(void **state) {
  g_autofree char *text = good_text();
  guint good = 0;
  const gsize length = strlen(text);
  for (gsize k = 0; k <= length; k++) read_damaged(state, text, k, &good);
  assert_in_range(good, 1, length - 1);
}

/* One to four times: a byte changes, goes, comes, or a piece is repeated elsewhere. */
static void mutate(GRand *random, GString *text) {
  static const char special[] = "[]{}:,-#&*!|>'\"%@?~<= \n\t0189ae.\xff";
  for (gint32 edits = g_rand_int_range(random, 1, 5); edits > 0 && text->len > 1; edits--) {
    const gsize place = (gsize)g_rand_int_range(random, 0, (gint32)text->len);
    const char byte = special[g_rand_int_range(random, 0, sizeof special)];
    const gsize most = MIN(text->len - place, 30);
    g_autofree char *piece = g_strndup(text->str + place, most);
    switch (g_rand_int_range(random, 0, 4)) {
    case 0: text->str[place] = byte; break;
    case 1: g_string_erase(text, (gssize)place, g_rand_int_range(random, 1, (gint32)most + 1)); break;
    case 2: g_string_insert_c(text, (gssize)place, byte); break;
    case 3: g_string_insert(text, g_rand_int_range(random, 0, (gint32)text->len), piece); break;
    }
  }
}

static void mutations_are_errors_or_experiments(void **state) {
  const guint rounds = 4000;
  g_autofree char *text = good_text();
  g_autoptr(GRand) random = g_rand_new_with_seed(20261123);
  guint good = 0;
  for (guint k = 0; k < rounds; k++) {
    g_autoptr(GString) damaged = g_string_new(text);
    mutate(random, damaged);
    read_damaged(state, damaged->str, damaged->len, &good);
  }
  assert_in_range(good, rounds / 50, rounds - rounds / 50);
}

static void mutated_assignments_are_errors_or_experiments(void **state) {
  static const char *const assignments[] = {"networks.b.split=layer1", "aligners.0.weight=2",
                                            "train={steps: [1, 'a']}"};
  const guint rounds = 4000;
  g_autofree char *text = good_text(), *path = scratch_file(state, "e.yaml", text, strlen(text));
  g_autoptr(GRand) random = g_rand_new_with_seed(7);
  guint good = 0;
  for (guint k = 0; k < rounds; k++) {
    g_autoptr(GString) damaged = g_string_new(assignments[k % G_N_ELEMENTS(assignments)]);
    mutate(random, damaged);
    const char *const sets[] = {damaged->str, NULL};
    g_autoptr(GError) error = NULL;
    AUTO(experiment) experiment = experiment_read(path, sets, &error);
    assert_true(experiment || (error && error->code == DOVETAIL_WRONG));
    if (experiment) good++;
  }
  assert_in_range(good, rounds / 50, rounds - rounds / 50);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(truncations_are_errors_or_experiments),
      SCRATCH_TEST(mutations_are_errors_or_experiments),
      SCRATCH_TEST(mutated_assignments_are_errors_or_experiments),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
