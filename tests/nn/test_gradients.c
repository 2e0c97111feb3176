/* SPDX-License-Identifier: MIT */
/*
 * Every layer's gradients against central differences of L = sum of r * output, r random, the sum in double. For a
 * random direction d of -1 and 1, the mean of (dL/dd - <g, d>)^2 is the square of the distance of g from the true
 * gradient: so a few directions measure the relative error of a whole gradient tensor.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "plugin/random.h"
#include "resnet.h"
#include "rig.h"

enum { BATCH = 3, DIRECTIONS = 12, BOTH = DVT_PASS_BACKWARD | DVT_PASS_BATCH_STATISTICS };

/*
 * Rounding of the outputs weighs more in shorter steps: it gives about 0.002 and 0.02 here. Where a ReLU's input
 * changes sign within a step, that adds to it in proportion to the step: hence the shorter one.
 */
struct precision {
  double step, tolerance;
};
static const struct precision smooth = {0.005, 0.01}, kinked = {0.001, 0.05};

struct probe {
  struct rig *rig;
  struct pass *pass;
  float *input, *output, *weight; /* weight: r */
};

static double loss(struct probe *probe) {
  const gsize count = BATCH * rig_output_size(probe->rig);
  double sum = 0.0;
  module_changed(probe->rig->module);
  rig_forward(probe->rig, probe->pass, BATCH, probe->input, probe->output);
  for (gsize k = 0; k < count; k++) sum += (double)probe->weight[k] * probe->output[k];
  return sum;
}

/* Moves x to x + h d; what was there is in `before`. */
static void move(float *x, const float *before, const guint32 *words, gsize count, double h) {
  for (gsize k = 0; k < count; k++) x[k] = (float)(before[k] + (words[k] >> 31 ? h : -h));
}

static double relative_error(struct probe *probe, float *x, const float *gradient, gsize count, const char *name,
                             double length) {
  const struct random_stream stream = random_stream(7, name);
  g_autofree float *before = g_memdup2(x, count * sizeof *x);
  g_autofree guint32 *words = g_new(guint32, count);
  const double step = length / sqrt((double)count);
  double error = 0.0, norm = 0.0;
  for (gsize k = 0; k < count; k++) norm += (double)gradient[k] * gradient[k];
  for (guint d = 0; d < DIRECTIONS; d++) {
    double expected = 0.0;
    random_words(stream, 0, d, words, count);
    for (gsize k = 0; k < count; k++) expected += words[k] >> 31 ? gradient[k] : -gradient[k];
    move(x, before, words, count, step);
    const double above = loss(probe);
    move(x, before, words, count, -step);
    const double difference = (above - loss(probe)) / (2.0 * step) - expected;
    error += difference * difference / DIRECTIONS;
  }
  memcpy(x, before, count * sizeof *x);
  return sqrt(error / norm);
}

static void check_tensor(struct probe *probe, float *x, const float *gradient, gsize count, const char *name,
                         struct precision precision) {
  const double error = relative_error(probe, x, gradient, count, name, precision.step);
  if (!(error <= precision.tolerance))
    fail_msg("gradient of %s: relative error %g, at most %g", name, error, precision.tolerance);
}

static void check_module(rig_build build, const gint64 input[3], guint32 flags, struct precision precision) {
  AUTO(rig) rig = rig_new(build, input, 5);
  AUTO(pass) pass = rig_pass(rig, flags, BATCH, 1, TRUE);
  const gsize in = BATCH * rig_input_size(rig), out = BATCH * rig_output_size(rig);
  struct probe probe = {.rig = rig,
                        .pass = pass,
                        .input = rig_noise(in, 1, "input"),
                        .output = memory_floats(out, NULL),
                        .weight = rig_noise(out, 2, "weight")};
  float *input_gradient = memory_floats(in, NULL);
  loss(&probe);
  rig_backward(rig, pass, BATCH, probe.weight, input_gradient);
  check_tensor(&probe, probe.input, input_gradient, in, "input", precision);
  for (guint k = 0; k < rig->module->weight_count; k++)
    if (rig->module->weights[k]->role == DVT_WEIGHT_PARAMETER)
      check_tensor(&probe, module_value(rig->module, k), pass->gradients + rig->module->offsets[k],
                   module_weight_elements(rig->module, k), rig->module->weights[k]->name, precision);
  free(input_gradient);
  free(probe.input);
  free(probe.output);
  free(probe.weight);
}

static const gint64 images[] = {3, 8, 8}, features[] = {16, 6, 6}, odd[] = {5, 7, 9};

static int conv(struct nn_graph *graph, int x) { return nn_conv(graph, x, "conv", 16, 3, 1); }
static int conv_stride(struct nn_graph *graph, int x) { return nn_conv(graph, x, "conv", 24, 3, 2); }
static int conv_pointwise(struct nn_graph *graph, int x) { return nn_conv(graph, x, "conv", 32, 1, 2); }
static int conv_odd(struct nn_graph *graph, int x) { return nn_conv(graph, x, "conv", 11, 3, 2); }
static int conv_twice(struct nn_graph *graph, int x) {
  return nn_conv(graph, nn_conv(graph, x, "first", 7, 3, 1), "second", 6, 3, 1);
}

static void convolution(void **state) {
  (void)state;
  check_module(conv, images, BOTH, smooth);
  check_module(conv, features, BOTH, smooth);
  check_module(conv_stride, features, BOTH, smooth);
  check_module(conv_pointwise, features, BOTH, smooth);
  check_module(conv_odd, odd, BOTH, smooth);
  check_module(conv_twice, odd, BOTH, smooth);
}

static int norm(struct nn_graph *graph, int x) {
  return nn_batch_norm(graph, nn_conv(graph, x, "conv", 16, 1, 1), "bn", false);
}
static int norm_relu(struct nn_graph *graph, int x) {
  return nn_batch_norm(graph, nn_conv(graph, x, "conv", 16, 1, 1), "bn", true);
}
static int norm_odd(struct nn_graph *graph, int x) {
  return nn_batch_norm(graph, nn_conv(graph, x, "conv", 9, 3, 1), "bn", true);
}

static void batch_norm_of_the_batch(void **state) {
  (void)state;
  check_module(norm, features, BOTH, smooth);
  check_module(norm_relu, features, BOTH, kinked);
  check_module(norm_odd, odd, BOTH, kinked);
}

static void batch_norm_of_running_statistics(void **state) {
  (void)state;
  check_module(norm, features, DVT_PASS_BACKWARD, smooth);
  check_module(norm_relu, features, DVT_PASS_BACKWARD, kinked);
  check_module(norm_odd, odd, DVT_PASS_BACKWARD, kinked);
}

static int add(struct nn_graph *graph, int x) {
  const int first = nn_conv(graph, x, "first", 16, 3, 1);
  return nn_batch_norm_add_relu(graph, nn_conv(graph, first, "second", 16, 3, 1), "sum", first);
}
static int add_input(struct nn_graph *graph, int x) {
  return nn_batch_norm_add_relu(graph, nn_conv(graph, x, "conv", 16, 3, 1), "sum", x);
}
static int add_of(struct nn_graph *graph, int x, gint64 channels) {
  const int first = nn_conv(graph, x, "first", channels, 3, 1);
  return nn_batch_norm_add_relu(graph, nn_conv(graph, x, "second", channels, 3, 1), "sum", first);
}
static int add_12(struct nn_graph *graph, int x) { return add_of(graph, x, 12); }
static int add_20(struct nn_graph *graph, int x) { return add_of(graph, x, 20); }
static int subsample(struct nn_graph *graph, int x) { return nn_subsample_pad(graph, x, "shortcut", 32); }
static int subsample_odd(struct nn_graph *graph, int x) { return nn_subsample_pad(graph, x, "shortcut", 8); }

static void sums_and_shortcuts(void **state) {
  (void)state;
  check_module(add, features, BOTH, kinked);
  check_module(add_input, features, BOTH, kinked);
  check_module(add_12, features, BOTH, kinked);
  check_module(add_20, features, BOTH, kinked);
  check_module(subsample, features, BOTH, smooth);
  check_module(subsample_odd, odd, BOTH, smooth);
}

static int mean(struct nn_graph *graph, int x) { return nn_global_mean(graph, x, "mean"); }
static int linear(struct nn_graph *graph, int x) { return nn_linear(graph, mean(graph, x), "linear", 10); }
static int mean_blocked(struct nn_graph *graph, int x) { return mean(graph, conv(graph, x)); }
static int linear_blocked(struct nn_graph *graph, int x) { return linear(graph, conv(graph, x)); }
static int linear_odd(struct nn_graph *graph, int x) { return linear(graph, conv_odd(graph, x)); }

static void mean_and_linear(void **state) {
  (void)state;
  check_module(mean, features, BOTH, smooth);
  check_module(mean, odd, BOTH, smooth);
  check_module(linear, features, BOTH, smooth);
  check_module(linear, odd, BOTH, smooth);
  check_module(mean_blocked, features, BOTH, smooth);
  check_module(linear_blocked, images, BOTH, smooth);
  check_module(linear_odd, odd, BOTH, smooth);
}

static int small_resnet(struct nn_graph *graph, int x, gint64 width, gboolean projection) {
  const struct resnet resnet = {.blocks = 1, .width = width, .projection = projection};
  return nn_linear(graph, resnet_build(&resnet, graph, x, 0, resnet_unit_count(&resnet)), "linear", 10);
}
static int projecting(struct nn_graph *graph, int x) { return small_resnet(graph, x, 5, TRUE); }
static int copying(struct nn_graph *graph, int x) { return small_resnet(graph, x, 5, FALSE); }
static int projecting_12(struct nn_graph *graph, int x) { return small_resnet(graph, x, 12, TRUE); }
static int copying_24(struct nn_graph *graph, int x) { return small_resnet(graph, x, 24, FALSE); }

static void resnet_of_odd_width(void **state) {
  (void)state;
  check_module(projecting, images, BOTH, kinked);
  check_module(projecting, images, DVT_PASS_BACKWARD, kinked);
  check_module(copying, images, BOTH, kinked);
  check_module(copying, images, DVT_PASS_BACKWARD, kinked);
  check_module(projecting_12, images, BOTH, kinked);
  check_module(copying_24, images, BOTH, kinked);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolution),
      cmocka_unit_test(batch_norm_of_the_batch),
      cmocka_unit_test(batch_norm_of_running_statistics),
      cmocka_unit_test(sums_and_shortcuts),
      cmocka_unit_test(mean_and_linear),
      cmocka_unit_test(resnet_of_odd_width),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
