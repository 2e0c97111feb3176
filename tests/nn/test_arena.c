/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "arena.h"

static int add(struct arena *arena, gsize size, int first, int last) {
  const int buffer = arena_add(arena, size, -1, -1);
  arena_use(arena, buffer, first);
  arena_use(arena, buffer, last);
  return buffer;
}

static gboolean overlap(gsize a, gsize a_size, gsize b, gsize b_size) { return a < b + b_size && b < a + a_size; }

/* Buffers in use at the same time must not share memory, unless one took the other's place. */
static void check(const struct arena *arena) {
  for (int i = 0; i < arena->count; i++)
    for (int j = 0; j < i; j++) {
      const struct arena_buffer *a = &arena->buffers[i], *b = &arena->buffers[j];
      if (a->home == b->home || a->last < b->first || b->last < a->first) continue;
      assert_false(overlap(a->offset, a->size, b->offset, b->size));
    }
  for (int i = 0; i < arena->count; i++) {
    assert_int_equal(arena->buffers[i].offset % ARENA_ALIGNMENT, 0);
    assert_true(arena->buffers[i].offset + arena->buffers[i].size <= arena->size);
  }
}

static void memory_is_used_again(void **state) {
  (void)state;
  struct arena arena = {0};
  add(&arena, 1000, 0, 1);
  add(&arena, 1000, 1, 2);
  add(&arena, 1000, 2, 3);
  add(&arena, 1000, 3, 4);
  assert_true(arena_place(&arena, NULL));
  check(&arena);
  assert_int_equal(arena.size, 2 * 1024);
  arena_finish(&arena);
}

static void an_heir_takes_the_place(void **state) {
  (void)state;
  struct arena arena = {0};
  const int first = add(&arena, 1000, 0, 3);
  const int heir = arena_add(&arena, 1000, first, -1);
  arena_use(&arena, heir, 3);
  arena_use(&arena, heir, 5);
  const int later = arena_add(&arena, 1000, -1, heir);
  arena_use(&arena, later, 5);
  add(&arena, 64, 4, 4);
  assert_true(arena_place(&arena, NULL));
  assert_int_equal(arena.buffers[heir].offset, arena.buffers[first].offset);
  assert_int_equal(arena.buffers[later].offset, arena.buffers[first].offset);
  assert_int_equal(arena.size, 1024 + 64);
  arena_finish(&arena);
}

static void no_heir_while_it_is_read(void **state) {
  (void)state;
  struct arena arena = {0};
  const int first = add(&arena, 1000, 0, 4);
  const int heir = arena_add(&arena, 1000, first, -1);
  arena_use(&arena, heir, 3);
  const int larger = arena_add(&arena, 2000, first, -1);
  arena_use(&arena, larger, 4);
  assert_true(arena_place(&arena, NULL));
  assert_int_not_equal(arena.buffers[heir].offset, arena.buffers[first].offset);
  assert_int_equal(arena.buffers[larger].home, larger);
  check(&arena);
  arena_finish(&arena);
}

static void what_is_always_used_is_alone(void **state) {
  (void)state;
  struct arena arena = {0};
  const int kept = arena_add(&arena, 100, -1, -1);
  arena_use(&arena, kept, ARENA_ALWAYS);
  add(&arena, 100, 0, 0);
  add(&arena, 100, 1000000, 1000000);
  assert_true(arena_place(&arena, NULL));
  check(&arena);
  assert_int_equal(arena.size, 2 * 128);
  arena_finish(&arena);
}

static void groups_share_nothing(void **state) {
  (void)state;
  const int groups[] = {0, 1, 1, 1, 2, 3};
  struct arena arena = {0};
  const int before = add(&arena, 1000, 0, 1); /* would make room for the last of the group, were that not beside it */
  const int heir = arena_add(&arena, 1000, before, -1);
  arena_use(&arena, heir, 1);
  arena_use(&arena, heir, 2);
  add(&arena, 1000, 2, 3);
  add(&arena, 1000, 3, 5);
  assert_true(arena_place(&arena, groups));
  check(&arena);
  assert_int_equal(arena.buffers[heir].offset, arena.buffers[before].offset);
  assert_int_equal(arena.size, 3 * 1024);
  arena_finish(&arena);
}

static void random_ones_never_overlap(void **state) {
  (void)state;
  g_autoptr(GRand) random = g_rand_new_with_seed(3);
  for (int round = 0; round < 20; round++) {
    struct arena arena = {0};
    for (int k = 0; k < 200; k++) {
      const int first = g_rand_int_range(random, 0, 100);
      const int from = k && g_rand_int_range(random, 0, 3) == 0 ? g_rand_int_range(random, 0, k) : -1;
      const int buffer = arena_add(&arena, (gsize)g_rand_int_range(random, 1, 100000), from, -1);
      arena_use(&arena, buffer, from < 0 ? first : arena.buffers[from].last);
      arena_use(&arena, buffer, from < 0 ? first : arena.buffers[from].last + first % 7);
    }
    int groups[110] = {0};
    for (guint time = 1; time < G_N_ELEMENTS(groups); time++)
      groups[time] = groups[time - 1] + (g_rand_int_range(random, 0, 3) > 0);
    assert_true(arena_place(&arena, round % 2 ? groups : NULL));
    check(&arena);
    arena_finish(&arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_used_again),     cmocka_unit_test(an_heir_takes_the_place),
      cmocka_unit_test(no_heir_while_it_is_read), cmocka_unit_test(what_is_always_used_is_alone),
      cmocka_unit_test(groups_share_nothing),     cmocka_unit_test(random_ones_never_overlap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
