/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/tensors.h"
#include "rig.h"

enum { CHANNELS = 2, SIDE_MOST = 5, STEPS = 200, DRAWS = STEPS * RIG_BATCH };

static const double weight = 0.25;

static void make_square(struct rig *rig, gint64 side) {
  const gint64 image[] = {CHANNELS, side, side};
  for (guint t = 0; t < RIG_NETWORKS; t++) memcpy(rig->networks[t].image, image, sizeof image);
}

static int setup(void **state) {
  rig_setup(state);
  rig_give_head(*state);
  make_square(*state, 2);
  return 0;
}

/* Images of one network and their view; no two pixels of the images are the same. */
struct images {
  float pixels[RIG_BATCH * CHANNELS * SIDE_MOST * SIDE_MOST], turned[RIG_BATCH * CHANNELS * SIDE_MOST * SIDE_MOST];
};

/* Runs a step of network t and returns the labels of its view. */
static const int32_t *run(struct rig *rig, guint t, guint64 step, struct images *images) {
  for (guint k = 0; k < G_N_ELEMENTS(images->pixels); k++) images->pixels[k] = (float)k;
  const struct dvt_tensor tensor = tensor_maps(images->pixels, RIG_BATCH, rig->networks[t].image);
  struct dvt_tensor view = tensor_maps(images->turned, RIG_BATCH, rig->networks[t].image), gradient;
  const struct dvt_batch batch = {
      .struct_size = sizeof batch, .network = t, .step = step, .weight = weight, .count = RIG_BATCH, .images = &tensor};
  assert_int_equal(rig->ops->make_view(rig->aligner, &batch, &view, &rig->fault), DVT_OK);
  rig_runs_head(rig, rig->ops->view_loss, &batch, &gradient);
  return rig->asked.labels;
}

/* Turns a channel by 90 degrees: what was on the right is on top. */
static void turn_left(float *channel, guint side) {
  float before[SIDE_MOST * SIDE_MOST];
  memcpy(before, channel, side * side * sizeof *before);
  for (guint row = 0; row < side; row++)
    for (guint column = 0; column < side; column++)
      channel[(side - 1 - column) * side + row] = before[row * side + column];
}

/* Fails the case unless the view of every image is the image, turned as often as its label says. */
static void check_turns(struct images *images, const int32_t *labels, guint side) {
  const guint area = side * side;
  for (guint c = 0; c < RIG_BATCH * CHANNELS; c++) {
    for (int32_t k = 0; k < labels[c / CHANNELS]; k++) turn_left(images->pixels + c * area, side);
    assert_memory_equal(images->turned + c * area, images->pixels + c * area, area * sizeof(float));
  }
}

static void every_view_is_turned_as_its_label_says(void **state) {
  struct rig *rig = *state;
  struct images images;
  guint seen = 0;
  for (guint side = 1; side <= SIDE_MOST; side++) {
    make_square(rig, side);
    assert_int_equal(rig_init(rig, "rotation", NULL, 3), DVT_OK);
    for (guint step = 0; step < 6; step++) {
      const int32_t *labels = run(rig, step % RIG_NETWORKS, step, &images);
      for (guint k = 0; k < RIG_BATCH; k++) seen |= 1u << labels[k];
      check_turns(&images, labels, side);
    }
  }
  assert_int_equal(seen, 0xf);
  assert_string_equal(rig->asked.classes->str, "0 90 180 270 ");
}

/* The turns of a network from a step on, by an aligner that was just made. */
static void draw(struct rig *rig, guint64 seed, guint t, guint64 first, int32_t turns[DRAWS]) {
  struct images images;
  rig->services.seed = seed;
  assert_int_equal(rig_init(rig, "rotation", NULL, 3), DVT_OK);
  for (guint step = 0; step < STEPS; step++)
    memcpy(turns + step * RIG_BATCH, run(rig, t, first + step, &images), RIG_BATCH * sizeof *turns);
}

static void assert_about_a_quarter(guint count, guint of) { assert_in_range(count, of / 5, of * 3 / 10); }

static void all_turns_are_about_equally_often(void **state) {
  int32_t turns[DRAWS];
  guint counts[RIG_BATCH][4] = {0};
  for (guint t = 0; t < RIG_NETWORKS; t++) {
    draw(*state, 1, t, 0, turns);
    for (guint k = 0; k < DRAWS; k++) counts[k % RIG_BATCH][turns[k]]++;
  }
  for (guint place = 0; place < RIG_BATCH; place++)
    for (guint turn = 0; turn < 4; turn++) assert_about_a_quarter(counts[place][turn], RIG_NETWORKS * STEPS);
}

/* Of turns that have nothing to do with each other a quarter are equal. */
static void check_independent(const int32_t *turns, const int32_t *others, guint count) {
  guint equal = 0;
  for (guint k = 0; k < count; k++) equal += turns[k] == others[k];
  assert_about_a_quarter(equal, count);
}

static void turns_differ_by_seed_network_step_and_image(void **state) {
  struct rig *rig = *state;
  int32_t turns[DRAWS], others[DRAWS];
  draw(rig, 1, 0, 0, turns);
  draw(rig, 2, 0, 0, others);
  check_independent(turns, others, DRAWS);
  draw(rig, 1, 1, 0, others);
  check_independent(turns, others, DRAWS);
  for (guint shift = 1; shift <= RIG_BATCH; shift++) check_independent(turns, turns + shift, DRAWS - shift);
}

static void a_run_that_is_resumed_turns_as_before(void **state) {
  const guint resumed = STEPS / 2;
  int32_t turns[DRAWS], later[DRAWS];
  draw(*state, 1, 2, 0, turns);
  draw(*state, 1, 2, resumed, later);
  assert_memory_equal(later, turns + resumed * RIG_BATCH, (STEPS - resumed) * RIG_BATCH * sizeof *turns);
}

static void images_must_be_square(void **state) {
  struct rig *rig = *state;
  rig->networks[2].image[1] = 32;
  rig->networks[2].image[2] = 24;
  assert_int_equal(rig_init(rig, "rotation", NULL, 2), DVT_OK);
  rig_refuses(rig, "rotation", NULL, 3, "network c has images of 32 x 24 pixels; only square ones can be turned");
}

#define ROTATION_TEST(function) cmocka_unit_test_setup_teardown(function, setup, rig_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      ROTATION_TEST(every_view_is_turned_as_its_label_says),
      ROTATION_TEST(all_turns_are_about_equally_often),
      ROTATION_TEST(turns_differ_by_seed_network_step_and_image),
      ROTATION_TEST(a_run_that_is_resumed_turns_as_before),
      ROTATION_TEST(images_must_be_square),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
