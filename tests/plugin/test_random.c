/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/philox.h"
#include "plugin/random.h"

/* The known answers that the authors publish with Random123 (kat_vectors, philox4x32 10). */
static void gives_the_published_answers(void **state) {
  (void)state;
  static const struct {
    guint32 counter[4], key[2], answer[4];
  } known[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (gsize k = 0; k < G_N_ELEMENTS(known); k++) {
    guint32 words[4];
    memcpy(words, known[k].counter, sizeof words);
    philox(words, known[k].key[0], known[k].key[1]);
    assert_memory_equal(words, known[k].answer, sizeof words);
  }
}

static void a_shorter_call_gives_a_prefix(void **state) {
  (void)state;
  const struct random_stream stream = random_stream(1, "order");
  guint32 all[20];
  random_words(stream, 3, 5, all, 20);
  for (gsize count = 0; count < 20; count++) {
    guint32 some[20] = {0};
    random_words(stream, 3, 5, some, count);
    assert_memory_equal(some, all, count * sizeof *all);
    assert_int_equal(some[count], 0);
  }
}

/* Each part of the key changes the words, its high half too. */
static void every_part_of_the_key_counts(void **state) {
  (void)state;
  const guint64 high = (guint64)1 << 32;
  const struct {
    guint64 seed;
    const char *name;
    guint64 epoch, index;
  } keys[] = {
      {1, "a", 0, 0}, {2, "a", 0, 0}, {1 + high, "a", 0, 0}, {1, "b", 0, 0}, {1, "ab", 0, 0},
      {1, "", 0, 0},  {1, "a", 1, 0}, {1, "a", high, 0},     {1, "a", 0, 1}, {1, "a", 0, high},
  };
  guint32 words[G_N_ELEMENTS(keys)][4];
  for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) {
    random_words(random_stream(keys[k].seed, keys[k].name), keys[k].epoch, keys[k].index, words[k], 4);
    for (gsize j = 0; j < k; j++) assert_memory_not_equal(words[j], words[k], sizeof *words);
  }
}

static void a_name_may_come_in_parts(void **state) {
  (void)state;
  const struct random_stream whole = random_stream(3, "plugin/a/order");
  const struct random_stream joined =
      random_stream_joined(3, (const char *const[]){"plugin/", "", "a", "/order", NULL});
  assert_memory_equal(&whole, &joined, sizeof whole);
}

static void units_are_uniform(void **state) {
  (void)state;
  enum { COUNT = 100000, BINS = 10 };
  static guint32 words[COUNT];
  guint bins[BINS] = {0};
  double sum = 0, products = 0;
  random_words(random_stream(7, "units"), 0, 0, words, COUNT);
  for (gsize k = 0; k < COUNT; k++) {
    const float unit = random_unit(words[k]);
    assert_true(unit >= 0 && unit < 1);
    bins[(gsize)(unit * BINS)]++;
    sum += unit;
    if (k) products += (unit - 0.5) * (random_unit(words[k - 1]) - 0.5);
  }
  for (gsize bin = 0; bin < BINS; bin++) assert_in_range(bins[bin], COUNT / BINS - 500, COUNT / BINS + 500);
  assert_true(sum > 0.495 * COUNT && sum < 0.505 * COUNT);
  assert_true(products / COUNT > -0.002 && products / COUNT < 0.002); /* the variance is 1/12 */
}

static void unit_never_reaches_one(void **state) {
  (void)state;
  assert_true(random_unit(0) == 0.0f);
  assert_true(random_unit(G_MAXUINT32) < 1.0f);
}

static void below_stays_below(void **state) {
  (void)state;
  assert_int_equal(random_below(0, 10), 0);
  assert_int_equal(random_below(G_MAXUINT32, 10), 9);
  assert_int_equal(random_below(G_MAXUINT32, 1), 0);
  assert_int_equal(random_below(0x80000000, 10), 5);
  assert_int_equal(random_below(G_MAXUINT32, G_MAXUINT32), G_MAXUINT32 - 1);
}

static void order_is_a_permutation(void **state) {
  (void)state;
  enum { COUNT = 1000 };
  const struct random_stream stream = random_stream(1, "order");
  for (guint32 count = 0; count <= COUNT; count += count < 5 ? 1 : 199) {
    guint32 order[COUNT] = {0};
    gboolean seen[COUNT] = {FALSE};
    random_order(stream, 2, order, count);
    for (guint32 k = 0; k < count; k++) {
      assert_true(order[k] < count && !seen[order[k]]);
      seen[order[k]] = TRUE;
    }
  }
}

/* Each of the six orders of three comes equally often: 1000 ± 5 standard deviations. */
static void all_orders_are_equally_likely(void **state) {
  (void)state;
  const struct random_stream stream = random_stream(1, "order");
  guint seen[9] = {0};
  for (guint64 epoch = 0; epoch < 6000; epoch++) {
    guint32 order[3];
    random_order(stream, epoch, order, 3);
    seen[order[0] * 3 + order[1]]++;
  }
  for (guint first = 0; first < 3; first++)
    for (guint second = 0; second < 3; second++)
      if (first != second) assert_in_range(seen[first * 3 + second], 856, 1144);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gives_the_published_answers),
      cmocka_unit_test(a_shorter_call_gives_a_prefix),
      cmocka_unit_test(every_part_of_the_key_counts),
      cmocka_unit_test(a_name_may_come_in_parts),
      cmocka_unit_test(units_are_uniform),
      cmocka_unit_test(unit_never_reaches_one),
      cmocka_unit_test(below_stays_below),
      cmocka_unit_test(order_is_a_permutation),
      cmocka_unit_test(all_orders_are_equally_likely),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
