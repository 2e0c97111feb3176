/* SPDX-License-Identifier: MIT */
/*
 * Steps in our Winograd's way repeat their bits, however many threads a pass has: each of them sums gradients of
 * weights for itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flight.h"
#include "resnet.h"
#include "skip.h"

enum { IMAGES = 7, REPEATS = 6, BOTH = DVT_PASS_BACKWARD | DVT_PASS_BATCH_STATISTICS };

static const gint64 image[] = {3, 12, 12};

static const char sums[] = "convolution backward-weights, training, "; /* how the keys of such choices begin */

static const char *precision_of_sums = "float32"; /* of those that are counted */
static guint winograd_sums;                       /* the choices that were this way */

static int build(struct nn_graph *graph, int value) {
  const struct resnet resnet = {.blocks = 1, .width = 16, .projection = true};
  return resnet_build(&resnet, graph, value, 0, 4);
}

static uint32_t choose_winograd(const struct dvt_host *host, const char *key, uint32_t count, const char *const *names,
                                double (*seconds)(void *data, uint32_t way), void *data) {
  (void)host, (void)seconds, (void)data;
  for (uint32_t way = 0; way < count; way++) {
    if (strcmp(names[way], "winograd")) continue;
    winograd_sums += g_str_has_prefix(key, sums) && g_str_has_prefix(key + strlen(sums), precision_of_sums);
    return way;
  }
  return 0;
}

static struct rig *make_rig(void) {
  struct rig *rig = rig_new(build, image, 3);
  rig->services.table.choose = choose_winograd;
  return rig;
}

static void begin(struct flight *flight, struct rig *rig, guint32 precision, guint32 threads) {
  flight_begin(flight, rig, rig_pass_in(rig, precision, BOTH, IMAGES, threads, TRUE), IMAGES);
}

static void check_repeats(guint32 precision, guint32 threads) {
  AUTO(rig) rig = make_rig();
  struct flight first, again;
  begin(&first, rig, precision, threads);
  begin(&again, rig, precision, threads);
  flight_step(&first);
  for (guint k = 0; k < REPEATS; k++) {
    flight_step(&again);
    flight_assert_same(&first, &again);
  }
  flight_end(&first);
  flight_end(&again);
}

static void check_precision(guint32 precision, const char *name) {
  precision_of_sums = name;
  winograd_sums = 0;
  for (guint32 threads = 2; threads <= 4; threads++) check_repeats(precision, threads);
  assert_true(winograd_sums > 0);
}

static void steps_repeat_their_bits(void **state) {
  (void)state;
  check_precision(DVT_PRECISION_FLOAT32, "float32");
}

static void steps_in_bfloat16_repeat_their_bits(void **state) {
  (void)state;
  check_precision(DVT_PRECISION_BFLOAT16, "bfloat16");
}

static gboolean is_possible(void) {
  AUTO(rig) rig = make_rig();
  AUTO(pass) pass = rig_pass(rig, BOTH, IMAGES, 1, TRUE);
  return pass && winograd_sums > 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_repeat_their_bits),
      cmocka_unit_test(steps_in_bfloat16_repeat_their_bits),
  };
  if (!is_possible()) return skip_all("no layouts that Winograd takes on this processor");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
