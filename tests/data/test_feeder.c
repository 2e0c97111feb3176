/* SPDX-License-Identifier: MIT */
/* A dataset small enough to know by heart: byte `at` of image k is k + at, its class k % 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/augment.h"
#include "data/feeder.h"
#include "plugin/services.h"

enum { TRAIN = 50, TEST = 7, CHANNELS = 2, SIDE = 4, IMAGE = CHANNELS * SIDE * SIDE, BATCH = 8 };

static const char *const class_names[] = {"ant", "bee", "cat"};
static const float mean[] = {0.25f, 0.5f}, deviation[] = {0.5f, 0.25f};
static const struct dvt_dataset_info about = {
    .struct_size = sizeof about,
    .class_count = 3,
    .image = {CHANNELS, SIDE, SIDE},
    .count = {TRAIN, TEST},
    .class_names = class_names,
    .mean = mean,
    .deviation = deviation,
};

static guint broken_example = G_MAXUINT;

static int create(const struct dvt_value *values, void **dataset, struct dvt_error *error) {
  (void)values;
  (void)error;
  static int self;
  *dataset = &self;
  return DVT_OK;
}
static void destroy(void *dataset) { (void)dataset; }
static int init(void *dataset, const struct dvt_host *host, struct dvt_error *error) {
  (void)dataset;
  (void)host;
  (void)error;
  return DVT_OK;
}
static const struct dvt_dataset_info *info(const void *dataset) {
  (void)dataset;
  return &about;
}

static int read_example(const void *dataset, enum dvt_subset subset, uint64_t index, uint8_t *image, uint32_t *label,
                        struct dvt_error *error) {
  (void)dataset;
  (void)subset;
  if (index == broken_example) return dvt_fail(error, DVT_ERROR_IO, "record %d is damaged", (int)index);
  for (guint at = 0; at < IMAGE; at++) image[at] = (uint8_t)(index + at);
  *label = (uint32_t)(index % 3);
  return DVT_OK;
}

static const struct dvt_dataset_ops ops = {sizeof ops, 0, create, destroy, init, info, read_example};
static const struct dvt_plugin plugin = {DVT_PLUGIN_HEAD, .kind = DVT_KIND_DATASET, .name = "known", .ops = &ops};
static const guint64 no_limit[] = {G_MAXUINT64, G_MAXUINT64};

static struct dataset *open_known(void) {
  static struct services services;
  services_init(&services, 0);
  return dataset_open(&plugin, NULL, &services.table, NULL, NULL);
}

static guint example_of(const float *image) { return (guint)(((image[0] * deviation[0]) + mean[0]) * 255 + 0.5f); }

static struct feeder *feed_from(const struct task *task, const char *stream, guint64 first) {
  const struct feeder_config config = {.batch = BATCH, .seed = 5, .stream = stream};
  return feeder_new(task, &config, first, NULL);
}

static void every_example_comes_at_most_once_an_epoch(void **state) {
  (void)state;
  AUTO(dataset) dataset = open_known();
  AUTO(task) task = task_new(dataset, NULL, 0, no_limit, (struct mark){0}, NULL);
  AUTO(feeder) feeder = feed_from(task, "a", 0);
  assert_int_equal(feeder_epoch_steps(task, BATCH), TRAIN / BATCH);
  guint first_of[3];
  for (guint epoch = 0; epoch < 3; epoch++) {
    guint seen[TRAIN] = {0};
    for (guint step = 0; step < TRAIN / BATCH; step++) {
      const struct feed *feed = feeder_next(feeder, NULL);
      for (guint k = 0; k < BATCH; k++) {
        const guint example = example_of(feed->images + k * IMAGE);
        if (step + k == 0) first_of[epoch] = example;
        assert_int_equal(seen[example]++, 0);
        assert_int_equal(feed->labels[k], example % 3);
      }
    }
  }
  assert_false(first_of[0] == first_of[1] && first_of[1] == first_of[2]);
}

static void a_batch_depends_on_stream_and_step_alone(void **state) {
  (void)state;
  AUTO(dataset) dataset = open_known();
  AUTO(task) task = task_new(dataset, NULL, 0, no_limit, (struct mark){0}, NULL);
  AUTO(feeder) from_start = feed_from(task, "a", 0);
  AUTO(feeder) later = feed_from(task, "a", 9);
  AUTO(feeder) other = feed_from(task, "b", 9);
  for (guint step = 0; step < 9; step++) assert_non_null(feeder_next(from_start, NULL));
  gboolean other_differs = FALSE;
  for (guint step = 9; step < 20; step++) {
    const struct feed *feed = feeder_next(from_start, NULL), *same = feeder_next(later, NULL);
    assert_memory_equal(feed->images, same->images, sizeof(float) * BATCH * IMAGE);
    assert_memory_equal(feed->labels, same->labels, sizeof(gint32) * BATCH);
    other_differs |= memcmp(feed->images, feeder_next(other, NULL)->images, sizeof(float) * BATCH * IMAGE) != 0;
  }
  assert_true(other_differs);
}

static void a_still_feeder_gives_its_first_batch_again_and_again(void **state) {
  (void)state;
  AUTO(dataset) dataset = open_known();
  AUTO(task) task = task_new(dataset, NULL, 0, no_limit, (struct mark){0}, NULL);
  const struct feeder_config config = {.batch = BATCH, .seed = 5, .still = TRUE, .stream = "a"};
  AUTO(feeder) still = feeder_new(task, &config, 0, NULL);
  AUTO(feeder) moving = feed_from(task, "a", 0);
  const struct feed *first = feeder_next(moving, NULL);
  for (guint k = 0; k < 5; k++) {
    const struct feed *feed = feeder_next(still, NULL);
    assert_memory_equal(feed->images, first->images, BATCH * IMAGE * sizeof(float));
    assert_memory_equal(feed->labels, first->labels, BATCH * sizeof(gint32));
  }
}

static void some_classes_make_a_task_with_labels_of_its_own(void **state) {
  (void)state;
  const guint32 classes[] = {2, 0};
  AUTO(dataset) dataset = open_known();
  AUTO(task) task = task_new(dataset, classes, 2, no_limit, (struct mark){0}, NULL);
  assert_string_equal(task->class_names[0], "cat");
  assert_int_equal(task->count[DVT_SUBSET_TRAIN], 33);
  assert_int_equal(task->count[DVT_SUBSET_TEST], 5);
  float images[5 * IMAGE];
  gint32 labels[5];
  assert_true(task_read(task, DVT_SUBSET_TEST, 0, 5, images, labels, NULL));
  const guint examples[] = {0, 2, 3, 5, 6};
  for (guint k = 0; k < 5; k++) {
    assert_int_equal(example_of(images + k * IMAGE), examples[k]);
    assert_int_equal(labels[k], examples[k] % 3 == 2 ? 0 : 1);
  }
}

static void a_limit_takes_the_first_examples(void **state) {
  (void)state;
  const guint64 limit[] = {20, 3};
  const guint32 classes[] = {1};
  AUTO(dataset) dataset = open_known();
  AUTO(task) task = task_new(dataset, NULL, 0, limit, (struct mark){0}, NULL);
  assert_int_equal(task->count[DVT_SUBSET_TRAIN], 20);
  assert_int_equal(task->count[DVT_SUBSET_TEST], 3);
  AUTO(task) bees = task_new(dataset, classes, 1, limit, (struct mark){0}, NULL);
  assert_int_equal(bees->count[DVT_SUBSET_TRAIN], 7);
}

static void normalisation_takes_mean_and_deviation_of_each_channel(void **state) {
  (void)state;
  AUTO(dataset) dataset = open_known();
  AUTO(task) task = task_new(dataset, NULL, 0, no_limit, (struct mark){0}, NULL);
  float image[IMAGE];
  gint32 label;
  assert_true(task_read(task, DVT_SUBSET_TEST, 4, 1, image, &label, NULL));
  for (guint at = 0; at < IMAGE; at++) {
    const guint c = at / (SIDE * SIDE);
    assert_float_equal(image[at], ((4 + at) / 255.0 - mean[c]) / deviation[c], 1e-6);
  }
}

static void augmentation_moves_and_mirrors(void **state) {
  (void)state;
  AUTO(dataset) dataset = open_known();
  AUTO(task) task = task_new(dataset, NULL, 0, no_limit, (struct mark){0}, NULL);
  guint8 image[IMAGE];
  float plain[IMAGE], moved[IMAGE];
  for (guint at = 0; at < IMAGE; at++) image[at] = (guint8)(3 * at);
  augment_image(task, image, &(struct augmentation){0}, plain);
  augment_image(task, image, &(struct augmentation){.dx = 1, .dy = -2, .flip = TRUE}, moved);
  for (gint c = 0; c < CHANNELS; c++)
    for (gint y = 0; y < SIDE; y++)
      for (gint x = 0; x < SIDE; x++) {
        const gint from_x = SIDE - 1 - (x + 1), from_y = y - 2;
        const gboolean inside = from_x >= 0 && from_y >= 0;
        const float expected = inside ? plain[(c * SIDE + from_y) * SIDE + from_x] : 0;
        assert_true(moved[(c * SIDE + y) * SIDE + x] == expected);
      }
}

static void drawn_augmentations_cover_every_offset_evenly(void **state) {
  (void)state;
  guint seen[9] = {0}, flips = 0;
  for (guint k = 0; k < 9000; k++) {
    guint32 words[] = {k * 477218588u, 0, k};
    const struct augmentation augmentation = augmentation_draw(words, 4, TRUE);
    assert_in_range(augmentation.dx + 4, 0, 8);
    assert_int_equal(augmentation.dy, -4);
    seen[augmentation.dx + 4]++;
    flips += augmentation.flip != 0;
  }
  for (guint k = 0; k < 9; k++) assert_in_range(seen[k], 900, 1100);
  assert_int_equal(flips, 4500);
}

static void a_damaged_example_is_an_error_and_no_hang(void **state) {
  (void)state;
  AUTO(dataset) dataset = open_known();
  AUTO(task) task = task_new(dataset, NULL, 0, no_limit, (struct mark){0}, NULL);
  broken_example = 11;
  AUTO(feeder) feeder = feed_from(task, "a", 0);
  g_autoptr(GError) error = NULL;
  guint batches = 0;
  while (batches < 10 && feeder_next(feeder, &error)) batches++;
  broken_example = G_MAXUINT;
  assert_in_range(batches, 0, 6);
  assert_string_equal(error->message, "dataset known: record 11 is damaged");
  assert_null(feeder_next(feeder, NULL));
}

static void a_batch_larger_than_the_data_is_refused(void **state) {
  (void)state;
  AUTO(dataset) dataset = open_known();
  AUTO(task) task = task_new(dataset, NULL, 0, no_limit, (struct mark){0}, NULL);
  const struct feeder_config config = {.batch = TRAIN + 1, .stream = "a"};
  g_autoptr(GError) error = NULL;
  assert_null(feeder_new(task, &config, 0, &error));
  assert_string_equal(error->message, "a batch of 51 is larger than the 50 training examples");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_example_comes_at_most_once_an_epoch),
      cmocka_unit_test(a_batch_depends_on_stream_and_step_alone),
      cmocka_unit_test(a_still_feeder_gives_its_first_batch_again_and_again),
      cmocka_unit_test(some_classes_make_a_task_with_labels_of_its_own),
      cmocka_unit_test(a_limit_takes_the_first_examples),
      cmocka_unit_test(normalisation_takes_mean_and_deviation_of_each_channel),
      cmocka_unit_test(augmentation_moves_and_mirrors),
      cmocka_unit_test(drawn_augmentations_cover_every_offset_evenly),
      cmocka_unit_test(a_damaged_example_is_an_error_and_no_hang),
      cmocka_unit_test(a_batch_larger_than_the_data_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
