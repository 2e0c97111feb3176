/* SPDX-License-Identifier: MIT */
/*
 * A network in every layout, precision and way of convolution: the numbers are the same, as far as the arithmetic can
 * tell. The measure is float32 in dense layouts, where all is oneDNN's direct convolution.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "conv.h"
#include "plan.h"
#include "resnet.h"
#include "rig.h"

static const gint64 image[] = {3, 6, 6};

enum { STEP = DVT_PASS_BACKWARD | DVT_PASS_BATCH_STATISTICS };

static struct resnet shape; /* of the network that `build` makes */

static int build(struct nn_graph *graph, int value) {
  value = resnet_build(&shape, graph, value, 0, 3);
  return nn_linear(graph, nn_global_mean(graph, value, "mean"), "linear", 7);
}

/* Without ReLU, whose gradient jumps where bfloat16 takes a number near zero to the other side. */
static int build_smooth(struct nn_graph *graph, int value) {
  const int first = nn_batch_norm(graph, nn_conv(graph, value, "conv1", shape.width, 3, 1), "bn1", false);
  const int second = nn_batch_norm(graph, nn_conv(graph, first, "conv2", shape.width, 3, 1), "bn2", false);
  const int third = nn_batch_norm(graph, nn_conv(graph, second, "conv3", 2 * shape.width, 3, 2), "bn3", false);
  return nn_linear(graph, nn_global_mean(graph, third, "mean"), "linear", 7);
}

/* A block that adds what it convolves, so that in evaluation the sum could be written over what is still read. */
static int build_short(struct nn_graph *graph, int value) {
  const int first = nn_batch_norm(graph, nn_conv(graph, value, "conv1", shape.width, 3, 1), "bn1", true);
  const int second = nn_conv(graph, first, "conv2", shape.width, 3, 1);
  return nn_batch_norm_add_relu(graph, second, "bn2", first);
}

/* How a step is computed. */
struct variant {
  const char *name;
  gboolean dense, half;
  enum conv_way way;
  guint32 threads, flags;
  double tolerance; /* relative distance of any tensor */
};

/* What one training step computes. */
struct step {
  gboolean dense;
  guint norms; /* batch norms that are steps of their own in the forward */
  float *output, *input_gradient, *gradients;
};

static void step_free(struct step *step) {
  free(step->output);
  free(step->input_gradient);
  free(step->gradients);
  g_free(step);
}
AUTO_DEFINE(step, step_free)

static void check(int status, const struct dvt_error *error) {
  if (status != DVT_OK) fail_msg("%s", error->message);
}

static struct plan *make_plan(struct rig *rig, gint64 n, const struct variant *variant, float *const *gradients,
                              double *seconds, dnnl_engine_t engine) {
  const struct nn_module *module = rig->module->self;
  const struct plan_setup setup = {.graph = module->graph,
                                   .values = module->values,
                                   .gradients = gradients,
                                   .flags = variant->flags,
                                   .threads = variant->threads,
                                   .batch = n,
                                   .capacity = n,
                                   .half = variant->half,
                                   .seconds = seconds,
                                   .way = &variant->way,
                                   .dense = variant->dense,
                                   .engine = engine};
  struct dvt_error error = DVT_ERROR_INIT;
  struct plan *plan = NULL;
  check(plan_new(&setup, &plan, &error), &error);
  return plan;
}

static void run_phases(struct plan *plan, float *const borders[PLAN_BORDERS], dnnl_engine_t engine) {
  struct dvt_error error = DVT_ERROR_INIT;
  dnnl_stream_t stream = NULL;
  float *memory = memory_floats(plan->arena.size / sizeof(float) + 1, NULL);
  assert_int_equal(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), dnnl_success);
  check(plan_place(plan, memory, &error), &error);
  for (int k = 0; k < PLAN_BORDERS; k++) check(plan_set_border(plan, k, borders[k], &error), &error);
  for (int k = 0; k < PLAN_PHASES; k++)
    if (k != PLAN_BACKWARD || plan->setup.flags & DVT_PASS_BACKWARD)
      check(plan_run(plan, k, true, stream, &error), &error);
  dnnl_stream_destroy(stream);
  free(memory);
}

static guint count_norms(const struct plan *plan) {
  const struct plan_steps *steps = &plan->phases[PLAN_FORWARD];
  guint count = 0;
  for (int k = 0; k < steps->count; k++) count += steps->items[k].kind == PLAN_NORM;
  return count;
}

/* seconds: by kind of step, or NULL. */
static struct step *run_timed(struct rig *rig, gsize n, const struct variant *variant, double *seconds) {
  struct step *step = g_new0(struct step, 1);
  g_autofree float **gradients = g_new0(float *, rig->module->weight_count);
  float *input = rig_noise(n * rig_input_size(rig), 1, "input");
  float *output_gradient = rig_noise(n * rig_output_size(rig), 2, "gradient");
  dnnl_engine_t engine = NULL;
  step->output = memory_floats(n * rig_output_size(rig), NULL);
  step->input_gradient = memory_floats(n * rig_input_size(rig), NULL);
  step->gradients = memory_floats(rig->module->size, NULL);
  for (guint k = 0; k < rig->module->weight_count; k++) gradients[k] = step->gradients + rig->module->offsets[k];
  assert_int_equal(dnnl_engine_create(&engine, dnnl_cpu, 0), dnnl_success);
  struct plan *plan = make_plan(rig, (gint64)n, variant, gradients, seconds, engine);
  run_phases(plan,
             (float *const[]){[PLAN_INPUT] = input,
                              [PLAN_OUTPUT] = step->output,
                              [PLAN_OUTPUT_GRADIENT] = output_gradient,
                              [PLAN_INPUT_GRADIENT] = step->input_gradient},
             engine);
  step->dense = plan->setup.dense;
  step->norms = count_norms(plan);
  plan_free(plan);
  dnnl_engine_destroy(engine);
  free(input);
  free(output_gradient);
  return step;
}

static struct step *run(struct rig *rig, gsize n, const struct variant *variant) {
  return run_timed(rig, n, variant, NULL);
}

static void assert_close(const float *a, const float *b, gsize count, const struct variant *variant, const char *name) {
  const double error = rig_distance(a, b, count);
  /* Of a shift, the next batch norm leaves no more than what the edges of the map make of it. */
  const gboolean cancels = variant->half && g_str_has_suffix(name, ".bias");
  const double tolerance = cancels ? 20 * variant->tolerance : variant->tolerance;
  if (!(error <= tolerance))
    fail_msg("%s: %s, width %d, %s: relative distance %g", variant->name, name, (int)shape.width,
             shape.projection ? "projection" : "identity", error);
}

/* On older processors some kernels fit dense layouts alone, and some cannot add. */
static gboolean has_blocks(void) { return dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx2; }

static gboolean fills_blocks(void) { return shape.width % 16 == 0 && has_blocks(); }

static void compare(struct rig *rig, guint n, const struct step *expected, const struct variant *variant) {
  const struct module *module = rig->module;
  AUTO(step) got = run(rig, n, variant);
  if (fills_blocks()) assert_int_equal(got->dense, variant->dense);
  assert_close(got->output, expected->output, n * rig_output_size(rig), variant, "output");
  assert_close(got->input_gradient, expected->input_gradient, n * rig_input_size(rig), variant, "input gradient");
  for (guint k = 0; k < module->weight_count; k++)
    if (module->weights[k]->role == DVT_WEIGHT_PARAMETER)
      assert_close(got->gradients + module->offsets[k], expected->gradients + module->offsets[k],
                   module_weight_elements(module, k), variant, module->weights[k]->name);
}

/* Winograd loses a digit to the direct way; a wrong formula is off by far more than any of these. */
static const struct variant exact[] = {
    {"blocked", FALSE, FALSE, CONV_DIRECT, 1, STEP, 1e-5},
    {"blocked, Winograd", FALSE, FALSE, CONV_WINOGRAD, 1, STEP, 1e-4},
    {"blocked, Winograd, three threads", FALSE, FALSE, CONV_WINOGRAD, 3, STEP, 1e-4},
    {"blocked, oneDNN's Winograd", FALSE, FALSE, CONV_ONEDNN_WINOGRAD, 1, STEP, 1e-4},
};

/* bfloat16 has 8 bits; here some of its roundings add up. */
static const struct variant rounded[] = {
    {"bfloat16", FALSE, TRUE, CONV_DIRECT, 1, STEP, 1.5e-2},
    {"bfloat16, Winograd", FALSE, TRUE, CONV_WINOGRAD, 1, STEP, 1.5e-2},
};

static void compare_all(rig_build network, guint n, const struct variant *variants, guint count) {
  static const struct variant reference = {"dense", TRUE, FALSE, CONV_DIRECT, 1, STEP, 0};
  AUTO(rig) rig = rig_new(network, image, 3);
  AUTO(step) expected = run(rig, n, &reference);
  assert_true(expected->dense);
  for (guint k = 0; k < count; k++) compare(rig, n, expected, &variants[k]);
}

/* Evaluation folds batch norms into convolutions. The measure is a pass that could go back, where they stay apart. */
static void compare_evaluation(rig_build network, const gint64 input[3], guint n) {
  static const struct variant apart = {"apart", FALSE, FALSE, CONV_DIRECT, 1, DVT_PASS_BACKWARD, 0};
  static const struct variant folded[] = {
      {"folded", FALSE, FALSE, CONV_DIRECT, 1, 0, 1e-5},
      {"folded, dense", TRUE, FALSE, CONV_DIRECT, 1, 0, 1e-5},
      {"folded, Winograd", FALSE, FALSE, CONV_WINOGRAD, 2, 0, 1e-5},
      {"folded, bfloat16", FALSE, TRUE, CONV_DIRECT, 1, 0, 2e-2},
      {"folded, bfloat16, Winograd", FALSE, TRUE, CONV_WINOGRAD, 1, 0, 2e-2},
  };
  AUTO(rig) rig = rig_new(network, input, 3);
  AUTO(step) expected = run(rig, n, &apart);
  assert_true(expected->norms > 0);
  for (guint k = 0; k < G_N_ELEMENTS(folded); k++) {
    AUTO(step) got = run(rig, n, &folded[k]);
    if (fills_blocks()) assert_int_equal(got->norms, 0);
    assert_close(got->output, expected->output, n * rig_output_size(rig), &folded[k], "output");
  }
}

static void variants_agree(void **state) {
  (void)state;
  static const gint64 widths[] = {5, 9, 12, 16, 20, 24};
  for (guint k = 0; k < G_N_ELEMENTS(widths); k++)
    for (guint n = 1; n <= 7; n += n < 3 ? 2 : 4) { /* seven images make parts of one and two */
      for (int projection = 0; projection < 2; projection++) {
        shape = (struct resnet){.blocks = 1, .width = widths[k], .projection = projection};
        compare_all(build, n, exact, G_N_ELEMENTS(exact));
        compare_evaluation(build, image, n);
      }
      if (n > 1) compare_all(build_smooth, n, rounded, G_N_ELEMENTS(rounded)); /* of one image nearly all cancels */
    }
}

/* Also where there are more threads than parts. */
static void all_time_is_counted(void **state) {
  (void)state;
  static const enum plan_kind kinds[] = {PLAN_CONV_FORWARD, PLAN_CONV_DATA, PLAN_CONV_WEIGHTS, PLAN_NORM};
  shape = (struct resnet){.width = 16};
  AUTO(rig) rig = rig_new(build_short, image, 3);
  for (guint n = 1; n <= 5; n += 4)
    for (guint32 threads = 1; threads <= 3; threads++) {
      double seconds[PLAN_KINDS] = {0}, sum = 0;
      const struct variant variant = {"timed", FALSE, FALSE, CONV_WINOGRAD, threads, STEP, 0};
      const gint64 begun = g_get_monotonic_time();
      step_free(run_timed(rig, n, &variant, seconds));
      const double taken = 1e-6 * (double)(g_get_monotonic_time() - begun + 1);
      for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) assert_true(seconds[kinds[k]] > 0);
      for (guint k = 0; k < PLAN_KINDS; k++) sum += seconds[k];
      assert_true(sum <= taken);
    }
}

/* Large enough for Winograd to work on it in several chunks. */
static void a_sum_does_not_overwrite_what_is_read(void **state) {
  (void)state;
  static const gint64 large[] = {3, 32, 32};
  shape = (struct resnet){.width = 16};
  compare_evaluation(build_short, large, 2);
}

/* A head that begins within a stage adds its input, which comes as float32. */
static int build_from_within(struct nn_graph *graph, int value) {
  const struct resnet whole = {.blocks = 2, .width = 16, .projection = true};
  return resnet_build(&whole, graph, value, 2, 4);
}

static void a_head_from_within_a_stage_keeps_its_blocks(void **state) {
  (void)state;
  static const gint64 features[] = {16, 8, 8};
  const struct variant variant = {"head in bfloat16", FALSE, TRUE, CONV_DIRECT, 1, STEP, 0};
  AUTO(rig) rig = rig_new(build_from_within, features, 3);
  AUTO(step) got = run(rig, 3, &variant);
  assert_int_equal(got->dense, !has_blocks());
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(variants_agree),
      cmocka_unit_test(all_time_is_counted),
      cmocka_unit_test(a_sum_does_not_overwrite_what_is_read),
      cmocka_unit_test(a_head_from_within_a_stage_keeps_its_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
