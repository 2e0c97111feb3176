/* SPDX-License-Identifier: MIT */
/* A network in the layouts that the primitives like best, and in dense ones: the numbers are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "plan.h"
#include "resnet.h"
#include "rig.h"

static const gint64 image[] = {3, 6, 6};

static struct resnet shape; /* of the network that `build` makes */

static int build(struct nn_graph *graph, int value) {
  value = resnet_build(&shape, graph, value, 0, 3);
  return nn_linear(graph, nn_global_mean(graph, value, "mean"), "linear", 7);
}

/* What one training step computes. */
struct step {
  gboolean dense;
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

static struct plan *make_plan(struct rig *rig, gint64 n, gboolean dense, float *const *gradients,
                              dnnl_engine_t engine) {
  const struct nn_module *module = rig->module->self;
  const struct plan_setup setup = {.graph = module->graph,
                                   .values = module->values,
                                   .gradients = gradients,
                                   .flags = DVT_PASS_BACKWARD | DVT_PASS_BATCH_STATISTICS,
                                   .threads = 1,
                                   .batch = n,
                                   .dense = dense,
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
  for (int k = 0; k < PLAN_PHASES; k++) check(plan_run(plan, k, true, stream, &error), &error);
  dnnl_stream_destroy(stream);
  free(memory);
}

static struct step *run(struct rig *rig, gsize n, gboolean dense) {
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
  struct plan *plan = make_plan(rig, (gint64)n, dense, gradients, engine);
  run_phases(plan,
             (float *const[]){[PLAN_INPUT] = input,
                              [PLAN_OUTPUT] = step->output,
                              [PLAN_OUTPUT_GRADIENT] = output_gradient,
                              [PLAN_INPUT_GRADIENT] = step->input_gradient},
             engine);
  step->dense = plan->setup.dense;
  plan_free(plan);
  dnnl_engine_destroy(engine);
  free(input);
  free(output_gradient);
  return step;
}

static void assert_close(const float *a, const float *b, gsize count, const char *name) {
  const double error = rig_distance(a, b, count);
  if (!(error <= 1e-5))
    fail_msg("%s, width %d, %s: relative distance %g", name, (int)shape.width,
             shape.projection ? "projection" : "identity", error);
}

static void compare(gint64 width, gboolean projection, guint n) {
  shape = (struct resnet){.blocks = 1, .width = width, .projection = projection};
  AUTO(rig) rig = rig_new(build, image, 3);
  const struct module *module = rig->module;
  AUTO(step) open = run(rig, n, FALSE);
  AUTO(step) dense = run(rig, n, TRUE);
  assert_true(dense->dense);
  if (width % 16 == 0) assert_false(open->dense);
  assert_close(open->output, dense->output, n * rig_output_size(rig), "output");
  assert_close(open->input_gradient, dense->input_gradient, n * rig_input_size(rig), "gradient of the input");
  for (guint k = 0; k < module->weight_count; k++)
    if (module->weights[k]->role == DVT_WEIGHT_PARAMETER)
      assert_close(open->gradients + module->offsets[k], dense->gradients + module->offsets[k],
                   module_weight_elements(module, k), module->weights[k]->name);
}

static void layouts_do_not_show(void **state) {
  (void)state;
  static const gint64 widths[] = {5, 9, 12, 16, 20, 24};
  for (guint k = 0; k < G_N_ELEMENTS(widths); k++)
    for (guint n = 1; n <= 3; n += 2) {
      compare(widths[k], TRUE, n);
      compare(widths[k], FALSE, n);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(layouts_do_not_show)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
