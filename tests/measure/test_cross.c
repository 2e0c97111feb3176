/* SPDX-License-Identifier: MIT */
/*
 * Cross-evaluation of networks that are known by heart: an extractor shows three maps made from the two channels of an
 * image, in an order of its own; a head reads the class off the map that its own extractor has the class in.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "measure/cross.h"

enum { TEST = 37, SIDE = 4, P = SIDE * SIDE, C = 3, CLASSES = 3, NETWORKS = 4 };

static const char *const class_names[] = {"ant", "bee", "cat"};
static const float mean[] = {0, 0}, deviation[] = {1, 1};
static const struct dvt_dataset_info about = {
    .struct_size = sizeof about,
    .class_count = CLASSES,
    .image = {2, SIDE, SIDE},
    .count = {1, TEST},
    .class_names = class_names,
    .mean = mean,
    .deviation = deviation,
};

/* Channel 0 has the class in it, channel 1 noise. */
static int read_example(const void *dataset, enum dvt_subset subset, uint64_t index, uint8_t *image, uint32_t *label,
                        struct dvt_error *error) {
  (void)dataset;
  (void)subset;
  (void)error;
  *label = (uint32_t)(index % CLASSES);
  for (guint p = 0; p < P; p++) {
    image[p] = (uint8_t)(50 + 60 * *label + (index * 7 + p * 5) % 11);
    image[P + p] = (uint8_t)((index * index * 13 + p * p * 31 + index * p * 17) % 251);
  }
  return DVT_OK;
}

static const struct dvt_dataset_ops dataset_ops = {.struct_size = sizeof dataset_ops, .read = read_example};
static const struct dvt_plugin dataset_plugin = {.kind = DVT_KIND_DATASET, .name = "known", .ops = &dataset_ops};
static const struct dataset dataset = {.plugin = &dataset_plugin, .ops = &dataset_ops, .info = &about};

/* An extractor or head, and its passes too. */
struct part {
  struct module module;
  guint twist;  /* the map that shows what map 0 would */
  gfloat fault; /* replaces the last feature when not 0 */
  gboolean dead;
  gint images; /* atomic: run so far */
};

static int pass_create(void *module, const struct dvt_pass_config *config, void **pass, struct dvt_error *error) {
  (void)config;
  (void)error;
  *pass = module;
  return DVT_OK;
}

static void pass_destroy(void *pass) { (void)pass; }

static int extract(void *pass, const struct dvt_tensor *input, struct dvt_tensor *output, struct dvt_error *error) {
  (void)error;
  struct part *part = pass;
  const guint channels = (guint)output->shape[1], positions = (guint)(output->shape[2] * output->shape[3]);
  const float *image = input->data;
  float *feature = output->data;
  g_atomic_int_add(&part->images, (gint)input->shape[0]);
  for (gint64 k = 0; k < input->shape[0]; k++, image += 2 * P)
    for (guint c = 0; c < channels; c++)
      for (guint p = 0; p < positions; p++) {
        const float maps[] = {image[p], image[P + p], image[p] * image[P + p]};
        *feature++ = part->dead && c == 1 ? 7 : maps[(c + part->twist) % C];
      }
  if (part->fault != 0) feature[-1] = part->fault;
  return DVT_OK;
}

static int classify(void *pass, const struct dvt_tensor *input, struct dvt_tensor *output, struct dvt_error *error) {
  (void)error;
  struct part *part = pass;
  const guint channels = (guint)input->shape[1], positions = (guint)(input->shape[2] * input->shape[3]);
  const float *features = input->data;
  float *logits = output->data;
  g_atomic_int_add(&part->images, (gint)input->shape[0]);
  for (gint64 k = 0; k < input->shape[0]; k++, features += channels * positions)
    for (guint c = 0; c < output->shape[1]; c++) {
      const float found = features[(C - part->twist) % C * positions], wanted = (float)(55 + 60 * c) / 255;
      *logits++ = -fabsf(found - wanted);
    }
  return DVT_OK;
}

static const struct dvt_module_ops extractor_ops = {
    .struct_size = sizeof extractor_ops, .pass_create = pass_create, .pass_destroy = pass_destroy, .forward = extract};
static const struct dvt_module_ops head_ops = {
    .struct_size = sizeof head_ops, .pass_create = pass_create, .pass_destroy = pass_destroy, .forward = classify};

/* Up to NETWORKS networks, and what is measured of them. */
struct bench {
  struct part extractors[NETWORKS], heads[NETWORKS];
  struct cross_network networks[NETWORKS];
  struct task *tasks[2]; /* all classes; ant and cat */
  double accuracy[NETWORKS * NETWORKS];
  struct similarity similarity[NETWORKS * NETWORKS];
  guint count, batch, threads;
  gint interrupted;
};

static void make_part(struct part *part, const struct dvt_module_ops *ops, const char *label, const gint64 input[3],
                      const gint64 output[3]) {
  static const struct dvt_plugin backbone = {.kind = DVT_KIND_BACKBONE}, head = {.kind = DVT_KIND_HEAD};
  part->module =
      (struct module){.plugin = ops == &head_ops ? &head : &backbone, .ops = ops, .self = part, .label = (char *)label};
  memcpy(part->module.input, input, sizeof part->module.input);
  memcpy(part->module.output, output, sizeof part->module.output);
}

static void shape_features(struct bench *bench, guint t, gint64 channels, gint64 side) {
  static const char *const labels[][2] = {
      {"extractor a", "head a"}, {"extractor b", "head b"}, {"extractor c", "head c"}, {"extractor d", "head d"}};
  const gint64 features[] = {channels, side, side}, logits[] = {CLASSES, 1, 1};
  make_part(&bench->extractors[t], &extractor_ops, labels[t][0], about.image, features);
  make_part(&bench->heads[t], &head_ops, labels[t][1], features, logits);
}

static int setup(void **state) {
  static const guint32 ant_and_cat[] = {0, 2};
  const guint64 no_limit[] = {G_MAXUINT64, G_MAXUINT64};
  struct bench *bench = *state = g_new0(struct bench, 1);
  bench->tasks[0] = task_new(&dataset, NULL, 0, no_limit, (struct mark){0}, NULL);
  bench->tasks[1] = task_new(&dataset, ant_and_cat, 2, no_limit, (struct mark){0}, NULL);
  bench->count = 2;
  bench->batch = 8;
  bench->threads = 2;
  for (guint t = 0; t < NETWORKS; t++) {
    shape_features(bench, t, C, SIDE);
    bench->extractors[t].twist = bench->heads[t].twist = t % C;
    bench->networks[t] = (struct cross_network){bench->tasks[0], &bench->extractors[t].module, &bench->heads[t].module};
  }
  return 0;
}

static void clear_similarity(struct bench *bench) {
  for (guint k = 0; k < NETWORKS * NETWORKS; k++) similarity_clear(&bench->similarity[k]);
}

static int teardown(void **state) {
  struct bench *bench = *state;
  clear_similarity(bench);
  for (guint k = 0; k < 2; k++) task_free(bench->tasks[k]);
  g_free(bench);
  return 0;
}

static gboolean measure(struct bench *bench, GError **error) {
  const struct cross_config config = {
      .batch = bench->batch, .threads = bench->threads, .interrupted = &bench->interrupted};
  clear_similarity(bench);
  return cross_measure(bench->networks, bench->count, &config, bench->accuracy, bench->similarity, error);
}

static const struct similarity *similarity_of(const struct bench *bench, guint i, guint j) {
  return &bench->similarity[i * bench->count + j];
}

static void extractors_meet_heads_and_each_other(void **state) {
  struct bench *bench = *state;
  assert_true(measure(bench, NULL));
  assert_true(bench->accuracy[0] == 1 && bench->accuracy[3] == 1);
  assert_true(bench->accuracy[1] < 0.8 && bench->accuracy[2] < 0.8);
  const struct similarity *ab = similarity_of(bench, 0, 1), *ba = similarity_of(bench, 1, 0);
  assert_true(ab->correlation < 0.6);
  assert_float_equal(ab->matched_correlation, 1, 1e-12);
  assert_float_equal(ab->cka, 1, 1e-12);
  assert_true(ab->correlation == ba->correlation && ab->cka == ba->cka && ab->symmetric && ba->symmetric);
  assert_true(isnan(similarity_of(bench, 0, 0)->cka) && !similarity_of(bench, 1, 1)->dead[0]);
}

static void an_extractor_runs_once_however_many_it_meets(void **state) {
  struct bench *bench = *state;
  bench->count = NETWORKS;
  assert_true(measure(bench, NULL));
  for (guint t = 0; t < NETWORKS; t++) {
    assert_int_equal(bench->extractors[t].images, TEST);
    assert_int_equal(bench->heads[t].images, NETWORKS * TEST);
  }
}

static void every_task_is_walked_once(void **state) {
  struct bench *bench = *state;
  bench->count = 3;
  bench->networks[1].task = bench->tasks[1];
  bench->networks[1].head->output[0] = 2;
  assert_true(measure(bench, NULL));
  for (guint t = 0; t < 3; t++)
    assert_int_equal(bench->extractors[t].images, TEST + (gint)bench->tasks[1]->count[DVT_SUBSET_TEST]);
  assert_true(bench->accuracy[0] == 1 && bench->accuracy[4] == 1 && bench->accuracy[8] == 1);
  /* On other images the same two extractors resemble each other otherwise; a and c have only their own. */
  assert_true(similarity_of(bench, 0, 1)->correlation != similarity_of(bench, 1, 0)->correlation);
  assert_false(similarity_of(bench, 0, 1)->symmetric);
  assert_true(similarity_of(bench, 0, 2)->correlation == similarity_of(bench, 2, 0)->correlation);
}

static void the_same_extractor_twice_is_exactly_1(void **state) {
  struct bench *bench = *state;
  bench->networks[1].extractor = bench->networks[0].extractor;
  assert_true(measure(bench, NULL));
  const struct similarity *twins = similarity_of(bench, 0, 1);
  assert_true(twins->correlation == 1 && twins->matched_correlation == 1 && twins->cka == 1);
}

static void neither_batch_nor_threads_matter(void **state) {
  static const guint settings[][2] = {{1, 1}, {5, 2}, {TEST, 3}, {64, 9}};
  struct bench *bench = *state;
  double accuracy[9], correlation[9], cka[9];
  bench->count = 3;
  for (guint k = 0; k < G_N_ELEMENTS(settings); k++) {
    bench->batch = settings[k][0];
    bench->threads = settings[k][1];
    assert_true(measure(bench, NULL));
    for (guint pair = 0; pair < 9; pair++) {
      const struct similarity *found = &bench->similarity[pair];
      if (k == 0)
        accuracy[pair] = bench->accuracy[pair], correlation[pair] = found->correlation, cka[pair] = found->cka;
      assert_true(accuracy[pair] == bench->accuracy[pair]);
      assert_memory_equal(&correlation[pair], &found->correlation, sizeof *correlation);
      assert_memory_equal(&cka[pair], &found->cka, sizeof *cka);
    }
  }
}

static void dead_channels_are_named_on_their_side(void **state) {
  struct bench *bench = *state;
  bench->extractors[1].dead = TRUE;
  assert_true(measure(bench, NULL));
  const struct similarity *ab = similarity_of(bench, 0, 1), *ba = similarity_of(bench, 1, 0);
  assert_true(ab->dead[0]->len == 0 && ab->dead[1]->len == 1 && g_array_index(ab->dead[1], guint, 0) == 1);
  assert_true(ba->dead[1]->len == 0 && ba->dead[0]->len == 1 && g_array_index(ba->dead[0], guint, 0) == 1);
  assert_true(isfinite(ab->correlation) && isfinite(ab->matched_correlation) && isfinite(ab->cka));
}

static void other_numbers_of_channels_leave_cka(void **state) {
  struct bench *bench = *state;
  shape_features(bench, 1, C + 2, SIDE);
  assert_true(measure(bench, NULL));
  assert_true(isnan(bench->accuracy[1]) && isnan(bench->accuracy[2]));
  const struct similarity *ab = similarity_of(bench, 0, 1);
  assert_true(isnan(ab->correlation) && isnan(ab->matched_correlation) && ab->cka > 0.5);
}

static void other_positions_leave_nothing(void **state) {
  struct bench *bench = *state;
  shape_features(bench, 1, C, SIDE / 2);
  bench->networks[1].task = bench->tasks[1];
  bench->networks[1].head->output[0] = 2;
  assert_true(measure(bench, NULL));
  assert_true(isnan(bench->accuracy[1]) && isnan(similarity_of(bench, 0, 1)->cka) &&
              !similarity_of(bench, 0, 1)->dead[0]);
  assert_int_equal(bench->extractors[0].images, TEST); /* nothing to do on b's images */
}

static void assert_refused(struct bench *bench, gint code, const char *part) {
  g_autoptr(GError) error = NULL;
  assert_false(measure(bench, &error));
  assert_int_equal(error->code, code);
  assert_non_null(strstr(error->message, part));
}

static void features_that_are_no_numbers_name_their_extractor(void **state) {
  static const gfloat faults[] = {NAN, INFINITY};
  struct bench *bench = *state;
  for (guint k = 0; k < G_N_ELEMENTS(faults); k++) {
    bench->extractors[1].fault = faults[k];
    assert_refused(bench, DOVETAIL_FAILED, "extractor b: a feature");
  }
  bench->extractors[0].fault = NAN; /* of two, the first */
  assert_refused(bench, DOVETAIL_FAILED, "extractor a: a feature");
}

static void the_user_can_stop_it(void **state) {
  struct bench *bench = *state;
  bench->interrupted = 1;
  assert_refused(bench, DOVETAIL_INTERRUPTED, "interrupted");
  assert_int_equal(bench->extractors[0].images, 0);
}

#define BENCH_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      BENCH_TEST(extractors_meet_heads_and_each_other),
      BENCH_TEST(an_extractor_runs_once_however_many_it_meets),
      BENCH_TEST(every_task_is_walked_once),
      BENCH_TEST(the_same_extractor_twice_is_exactly_1),
      BENCH_TEST(neither_batch_nor_threads_matter),
      BENCH_TEST(dead_channels_are_named_on_their_side),
      BENCH_TEST(other_numbers_of_channels_leave_cka),
      BENCH_TEST(other_positions_leave_nothing),
      BENCH_TEST(features_that_are_no_numbers_name_their_extractor),
      BENCH_TEST(the_user_can_stop_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
