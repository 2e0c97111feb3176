/* SPDX-License-Identifier: MIT */
/* Similarity of features against NumPy and SciPy (similarity.json), and where a careless sum would go wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "measure/similarity.h"

enum { C = 7, SIDE = 3, P = SIDE * SIDE, IMAGES = 40, SIZE = IMAGES * C * P };

static const char *fixture;

/* Features of so many images. */
struct maps {
  gint64 shape[3];
  guint images;
  const float *values;
};

static void add_all(struct products *products) {
  for (guint block = 0; block < products->a->blocks; block++) products_add(products, block);
}

static void take(struct deviations *deviations, const struct maps *maps, guint first, guint count) {
  const gsize size = (gsize)(maps->shape[0] * maps->shape[1] * maps->shape[2]);
  assert_true(deviations_take(deviations, maps->values + first * size, count));
}

static struct similarity measure(const struct maps *a, const struct maps *b, guint batch) {
  AUTO(deviations) of_a = deviations_new(a->shape, batch, NULL);
  AUTO(deviations) of_b = deviations_new(b->shape, batch, NULL);
  AUTO(products) aa = products_new(of_a, of_a, NULL);
  AUTO(products) bb = products_new(of_b, of_b, NULL);
  AUTO(products) ab = products_new(of_a, of_b, NULL);
  for (guint first = 0; first < a->images; first += batch) {
    const guint count = MIN(batch, a->images - first);
    take(of_a, a, first, count);
    take(of_b, b, first, count);
    add_all(aa);
    add_all(bb);
    add_all(ab);
  }
  return similarity_measure(aa, bb, ab);
}

static float *random_values(guint seed, double mean, double deviation) {
  g_autoptr(GRand) random = g_rand_new_with_seed(seed);
  float *values = g_new(float, SIZE);
  for (guint k = 0; k < SIZE; k++) values[k] = (float)(mean + deviation * g_rand_double_range(random, -1.7, 1.7));
  return values;
}

static struct maps maps_of(const float *values) { return (struct maps){{C, SIDE, SIDE}, IMAGES, values}; }

static void assert_channels(const GArray *found, const guint *wanted, guint count) {
  assert_int_equal(found->len, count);
  for (guint k = 0; k < count; k++) assert_int_equal(g_array_index(found, guint, k), wanted[k]);
}

/* The caller frees the values. */
static struct maps load_maps(const json_t *json) {
  const json_t *shape = json_object_get(json, "shape"), *values = json_object_get(json, "values");
  const gsize size = json_array_size(values);
  float *copy = g_new(float, size);
  for (gsize k = 0; k < size; k++) copy[k] = (float)json_number_value(json_array_get(values, k));
  struct maps maps = {.values = copy};
  for (guint axis = 0; axis < 3; axis++) maps.shape[axis] = json_integer_value(json_array_get(shape, axis));
  maps.images = (guint)(size / (gsize)(maps.shape[0] * maps.shape[1] * maps.shape[2]));
  return maps;
}

static void assert_near(const json_t *wanted, const char *key, double found) {
  const json_t *value = json_object_get(wanted, key);
  if (json_is_null(value))
    assert_true(isnan(found));
  else
    assert_float_equal(found, json_number_value(value), 1e-11);
}

static void assert_dead(const json_t *wanted, const GArray *found) {
  guint list[16];
  for (gsize k = 0; k < json_array_size(wanted); k++) list[k] = (guint)json_integer_value(json_array_get(wanted, k));
  assert_channels(found, list, (guint)json_array_size(wanted));
}

static void agrees_with_numpy_and_scipy(void **state) {
  (void)state;
  json_auto_t *cases = json_load_file(fixture, 0, NULL);
  assert_int_equal(json_array_size(cases), 7);
  for (gsize k = 0; k < json_array_size(cases); k++) {
    const json_t *wanted = json_array_get(cases, k), *dead = json_object_get(wanted, "dead");
    const struct maps a = load_maps(json_object_get(wanted, "a")), b = load_maps(json_object_get(wanted, "b"));
    struct similarity found = measure(&a, &b, 2);
    print_message("# %s\n", json_string_value(json_object_get(wanted, "name")));
    assert_near(wanted, "correlation", found.correlation);
    assert_near(wanted, "matched_correlation", found.matched_correlation);
    assert_near(wanted, "cka", found.cka);
    for (guint side = 0; side < 2; side++) assert_dead(json_array_get(dead, side), found.dead[side]);
    similarity_clear(&found);
    g_free((gpointer)a.values);
    g_free((gpointer)b.values);
  }
}

static void assert_same_bits(const struct similarity *a, const struct similarity *b) {
  assert_memory_equal(&a->correlation, &b->correlation, sizeof a->correlation);
  assert_memory_equal(&a->matched_correlation, &b->matched_correlation, sizeof a->matched_correlation);
  assert_memory_equal(&a->cka, &b->cka, sizeof a->cka);
}

static void batches_do_not_matter(void **state) {
  (void)state;
  g_autofree float *values_a = random_values(1, 3, 1), *values_b = random_values(2, -5, 2);
  const struct maps a = maps_of(values_a), b = maps_of(values_b);
  struct similarity whole = measure(&a, &b, IMAGES);
  for (guint batch = 1; batch < IMAGES; batch++) {
    struct similarity split = measure(&a, &b, batch);
    assert_same_bits(&whole, &split);
    similarity_clear(&split);
  }
  similarity_clear(&whole);
}

static void a_network_with_itself_is_exactly_1(void **state) {
  (void)state;
  static const double deviations[] = {1, 1e-30, 1e34}, means[] = {0, 0.1, 1000};
  for (guint k = 0; k < 9; k++) {
    g_autofree float *values = random_values(k, means[k % 3] * deviations[k / 3], deviations[k / 3]);
    /* Two channels that are all but the same do not confuse the matching, and a dead one does not count. */
    for (guint image = 0; image < IMAGES; image++)
      for (guint p = 0; p < P; p++) {
        float *first = values + image * C * P + p;
        first[P] = first[0] * 1.0000001f;
        first[2 * P] = 0.3f;
      }
    const struct maps maps = maps_of(values);
    struct similarity self = measure(&maps, &maps, 16);
    assert_true(self.correlation == 1 && self.matched_correlation == 1 && self.cka == 1);
    similarity_clear(&self);
  }
}

static float at(const float *values, guint c, guint example) {
  return values[((example / P) * C + c) * P + example % P];
}

static long double mean_of(const float *values, guint c) {
  long double sum = 0;
  for (guint k = 0; k < IMAGES * P; k++) sum += (long double)at(values, c, k);
  return sum / (IMAGES * P);
}

/* Mean over channels of the same index, in two walks and long double. */
static double reference_correlation(const float *a, const float *b) {
  long double total = 0;
  for (guint c = 0; c < C; c++) {
    const long double mean_a = mean_of(a, c), mean_b = mean_of(b, c);
    long double aa = 0, bb = 0, ab = 0;
    for (guint k = 0; k < IMAGES * P; k++) {
      const long double x = (long double)at(a, c, k) - mean_a, y = (long double)at(b, c, k) - mean_b;
      aa += x * x, bb += y * y, ab += x * y;
    }
    total += ab / sqrtl(aa * bb);
  }
  return (double)(total / C);
}

/* The first image says nothing about the others' mean, so shifting by its mean would not help. */
static void large_offsets_cost_no_precision(void **state) {
  (void)state;
  static const double offsets[] = {0, 1000, -1e6};
  for (guint k = 0; k < G_N_ELEMENTS(offsets); k++) {
    g_autofree float *values_a = random_values(7, offsets[k], 1), *values_b = random_values(8, offsets[k], 1);
    for (guint n = P * C; n < SIZE; n++) values_b[n] += 0.5f * (values_a[n] - (float)offsets[k]);
    for (guint walk = 0; walk < 2; walk++) {
      const struct maps a = maps_of(values_a), b = maps_of(values_b);
      struct similarity found = measure(&a, &b, 8);
      assert_float_equal(found.correlation, reference_correlation(values_a, values_b), 1e-12);
      similarity_clear(&found);
      memset(values_a, 0, P * C * sizeof(float));
    }
  }
}

static void dead_channels_are_named(void **state) {
  (void)state;
  static const guint wanted[] = {0, 5};
  g_autofree float *values_a = random_values(3, 0, 1), *values_b = random_values(4, 0, 1);
  for (guint image = 0; image < IMAGES; image++)
    for (guint p = 0; p < P; p++) values_b[image * C * P + p] = values_b[(image * C + 5) * P + p] = 1234.5678f;
  const struct maps a = maps_of(values_a), b = maps_of(values_b);
  struct similarity found = measure(&a, &b, 3), reversed = similarity_reversed(&found);
  assert_channels(found.dead[0], NULL, 0);
  assert_channels(found.dead[1], wanted, 2);
  assert_channels(reversed.dead[0], wanted, 2);
  assert_channels(reversed.dead[1], NULL, 0);
  assert_true(isfinite(found.correlation) && isfinite(found.matched_correlation) && isfinite(found.cka));
  assert_same_bits(&found, &reversed);
  similarity_clear(&found);
  similarity_clear(&reversed);
}

/* A channel that is constant in each image and differs between images is alive. */
static void variance_between_images_counts(void **state) {
  (void)state;
  g_autofree float *values = random_values(5, 0, 1);
  for (guint image = 0; image < IMAGES; image++)
    for (guint k = 0; k < C * P; k++) values[image * C * P + k] = (float)(image * (k / P + 1));
  const struct maps maps = maps_of(values);
  struct similarity found = measure(&maps, &maps, 3);
  assert_channels(found.dead[0], NULL, 0);
  assert_true(found.correlation == 1 && found.cka == 1);
  similarity_clear(&found);
}

static void nothing_alive_is_no_measure(void **state) {
  (void)state;
  static const guint all[] = {0, 1, 2, 3, 4, 5, 6};
  g_autofree float *values_a = random_values(3, 0, 1), *values_b = random_values(4, 0.1, 0);
  const struct maps a = maps_of(values_a), b = maps_of(values_b);
  struct similarity found = measure(&a, &b, 5);
  assert_true(isnan(found.correlation) && isnan(found.matched_correlation) && isnan(found.cka));
  assert_channels(found.dead[1], all, C);
  similarity_clear(&found);
}

static void features_that_are_no_numbers_are_refused(void **state) {
  (void)state;
  static const float broken[] = {NAN, INFINITY, -INFINITY};
  g_autofree float *values = random_values(3, 0, 1);
  const struct maps maps = maps_of(values);
  AUTO(deviations) deviations = deviations_new(maps.shape, IMAGES, NULL);
  for (guint k = 0; k < G_N_ELEMENTS(broken); k++) {
    const float whole = values[SIZE - 1 - k];
    values[SIZE - 1 - k] = broken[k];
    assert_false(deviations_take(deviations, values, IMAGES));
    values[SIZE - 1 - k] = whole;
  }
  values[0] = values[1] = 3e38f; /* a sum that float could not hold */
  AUTO(deviations) large = deviations_new(maps.shape, IMAGES, NULL);
  assert_true(deviations_take(large, values, IMAGES));
}

int main(int argc, char **argv) {
  if (argc != 2) return 1;
  fixture = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_numpy_and_scipy),
      cmocka_unit_test(batches_do_not_matter),
      cmocka_unit_test(a_network_with_itself_is_exactly_1),
      cmocka_unit_test(large_offsets_cost_no_precision),
      cmocka_unit_test(dead_channels_are_named),
      cmocka_unit_test(variance_between_images_counts),
      cmocka_unit_test(nothing_alive_is_no_measure),
      cmocka_unit_test(features_that_are_no_numbers_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
