/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "flight.h"
#include "resnet.h"

enum { CAPACITY = 6, FLIGHTS = 3, BOTH = DVT_PASS_BACKWARD | DVT_PASS_BATCH_STATISTICS };

static const gint64 image[] = {3, 12, 12};

static int build(struct nn_graph *graph, int value) {
  const struct resnet resnet = {.blocks = 1, .width = 16, .projection = true};
  return resnet_build(&resnet, graph, value, 0, 4);
}

static int linear(struct nn_graph *graph, int value) {
  return nn_linear(graph, nn_global_mean(graph, value, "mean"), "linear", 7);
}

static int unfit(struct nn_graph *graph, int value) { return nn_linear(graph, value, "linear", 7); }

static int uneven_sum(struct nn_graph *graph, int value) {
  return nn_batch_norm_add_relu(graph, nn_conv(graph, value, "conv", 8, 3, 1), "sum", value);
}

static gpointer fly(gpointer data) {
  for (guint k = 0; k < 5; k++) flight_step(data);
  return NULL;
}

static void check_flights_at_once(guint32 precision) {
  AUTO(rig) rig = rig_new(build, image, 3);
  struct flight alone, flights[FLIGHTS];
  GThread *threads[FLIGHTS];
  flight_begin(&alone, rig, rig_pass_in(rig, precision, BOTH, CAPACITY, 2, TRUE), CAPACITY);
  fly(&alone);
  for (guint k = 0; k < FLIGHTS; k++)
    flight_begin(&flights[k], rig, rig_pass_in(rig, precision, BOTH, CAPACITY, 2, TRUE), CAPACITY);
  for (guint k = 0; k < FLIGHTS; k++) threads[k] = g_thread_new("flight", fly, &flights[k]);
  for (guint k = 0; k < FLIGHTS; k++) g_thread_join(threads[k]);
  for (guint k = 0; k < FLIGHTS; k++) {
    flight_assert_same(&alone, &flights[k]);
    flight_end(&flights[k]);
  }
  flight_end(&alone);
}

static void flights_at_once_give_the_same_bits(void **state) {
  (void)state;
  check_flights_at_once(DVT_PRECISION_FLOAT32);
  check_flights_at_once(DVT_PRECISION_BFLOAT16);
}

static void assert_close_flight(const struct flight *a, const struct flight *b) {
  const struct module *module = a->rig->module;
  assert_true(rig_distance(a->output, b->output, a->out) <= 1e-5);
  assert_true(rig_distance(a->input_gradient, b->input_gradient, a->in) <= 1e-5);
  for (guint k = 0; k < module->weight_count; k++) {
    const gsize offset = module->offsets[k];
    if (module->weights[k]->role == DVT_WEIGHT_PARAMETER)
      assert_true(rig_distance(a->pass->gradients + offset, b->pass->gradients + offset,
                               module_weight_elements(module, k)) <= 1e-5);
  }
}

static void numbers_of_threads_agree(void **state) {
  (void)state;
  AUTO(rig) rig = rig_new(build, image, 3);
  struct flight alone, shared;
  flight_begin(&alone, rig, rig_pass(rig, BOTH, CAPACITY, 1, TRUE), CAPACITY);
  fly(&alone);
  for (guint threads = 2; threads <= 3; threads++) {
    flight_begin(&shared, rig, rig_pass(rig, BOTH, CAPACITY, threads, TRUE), CAPACITY);
    fly(&shared);
    assert_close_flight(&shared, &alone);
    flight_end(&shared);
  }
  flight_end(&alone);
}

/* A pass made in one thread and used in another: the host does so. */
static void a_pass_moves_between_threads(void **state) {
  (void)state;
  AUTO(rig) rig = rig_new(build, image, 3);
  struct flight here, there;
  flight_begin(&here, rig, rig_pass(rig, BOTH, CAPACITY, 1, TRUE), CAPACITY);
  flight_begin(&there, rig, rig_pass(rig, BOTH, CAPACITY, 1, TRUE), CAPACITY);
  fly(&here);
  g_thread_join(g_thread_new("forward", fly, &there));
  flight_assert_same(&here, &there);
  flight_end(&here);
  flight_end(&there);
}

static void batches_of_other_sizes_leave_no_trace(void **state) {
  (void)state;
  AUTO(rig) rig = rig_new(build, image, 3);
  struct flight used, fresh;
  flight_begin(&used, rig, rig_pass(rig, BOTH, CAPACITY, 1, TRUE), CAPACITY);
  flight_begin(&fresh, rig, rig_pass(rig, BOTH, CAPACITY, 1, TRUE), CAPACITY);
  for (guint n = 1; n < CAPACITY; n++) {
    rig_forward(rig, used.pass, n, used.input, used.output);
    rig_backward(rig, used.pass, n, used.output_gradient, used.input_gradient);
  }
  fly(&used);
  fly(&fresh);
  flight_assert_same(&used, &fresh);
  flight_end(&used);
  flight_end(&fresh);
}

static void a_small_batch_is_as_in_a_pass_made_for_it(void **state) {
  (void)state;
  static const guint sizes[] = {CAPACITY - 2, 1};
  AUTO(rig) rig = rig_new(build, image, 3);
  for (guint k = 0; k < G_N_ELEMENTS(sizes); k++) {
    struct flight large, fitting;
    flight_begin(&large, rig, rig_pass(rig, BOTH, CAPACITY, 1, TRUE), sizes[k]);
    flight_begin(&fitting, rig, rig_pass(rig, BOTH, sizes[k], 1, TRUE), sizes[k]);
    fly(&large);
    fly(&fitting);
    flight_assert_same(&large, &fitting);
    flight_end(&large);
    flight_end(&fitting);
  }
}

/* In evaluation an image's output does not depend on the others in its batch. */
static void evaluation_takes_images_one_by_one(void **state) {
  (void)state;
  AUTO(rig) rig = rig_new(build, image, 3);
  struct flight flight;
  flight_begin(&flight, rig, rig_pass(rig, 0, CAPACITY, 1, FALSE), CAPACITY);
  const gsize in = flight.in / CAPACITY, out = flight.out / CAPACITY;
  float *single = memory_floats(out, NULL);
  flight_forward(&flight);
  for (guint k = 0; k < CAPACITY; k++) {
    rig_forward(rig, flight.pass, 1, flight.input + k * in, single);
    for (gsize i = 0; i < out; i++) assert_float_equal(single[i], flight.output[k * out + i], 1e-5);
  }
  free(single);
  flight_end(&flight);
}

static void evaluation_is_training_with_running_statistics(void **state) {
  (void)state;
  AUTO(rig) rig = rig_new(build, image, 3);
  struct flight evaluation, training;
  flight_begin(&evaluation, rig, rig_pass(rig, 0, CAPACITY, 1, FALSE), 4);
  flight_begin(&training, rig, rig_pass(rig, DVT_PASS_BACKWARD, CAPACITY, 1, TRUE), 4);
  flight_forward(&evaluation);
  flight_forward(&training);
  for (gsize k = 0; k < training.out; k++) assert_float_equal(evaluation.output[k], training.output[k], 1e-5);
  flight_end(&evaluation);
  flight_end(&training);
}

static void a_frozen_module_passes_gradients_on(void **state) {
  (void)state;
  AUTO(rig) rig = rig_new(build, image, 3);
  struct flight frozen, trained;
  flight_begin(&frozen, rig, rig_pass(rig, BOTH, CAPACITY, 1, FALSE), 4);
  flight_begin(&trained, rig, rig_pass(rig, BOTH, CAPACITY, 1, TRUE), 4);
  flight_forward(&frozen);
  flight_backward(&frozen);
  flight_forward(&trained);
  flight_backward(&trained);
  assert_memory_equal(frozen.input_gradient, trained.input_gradient, frozen.in * sizeof(float));
  flight_end(&frozen);
  flight_end(&trained);
}

static void gradients_add_up(void **state) {
  (void)state;
  AUTO(rig) rig = rig_new(build, image, 3);
  struct flight flight;
  flight_begin(&flight, rig, rig_pass(rig, BOTH, CAPACITY, 1, TRUE), CAPACITY);
  const gsize count = rig->module->parameter_size;
  flight_forward(&flight);
  flight_backward(&flight);
  g_autofree float *once = g_memdup2(flight.pass->gradients, count * sizeof(float));
  flight_forward(&flight);
  rig_backward(rig, flight.pass, flight.n, flight.output_gradient, NULL);
  for (gsize k = 0; k < count; k++)
    assert_float_equal(flight.pass->gradients[k], 2.0f * once[k], 1e-5f * fabsf(once[k]));
  flight_end(&flight);
}

static void changed_values_count_from_changed_on(void **state) {
  (void)state;
  AUTO(rig) rig = rig_new(build, image, 3);
  struct flight flight, fresh;
  flight_begin(&flight, rig, rig_pass(rig, BOTH, CAPACITY, 1, TRUE), CAPACITY);
  flight_forward(&flight);
  for (gsize k = 0; k < rig->module->decay_size; k++) rig->module->values[k] *= 1.25f;
  module_changed(rig->module);
  flight_forward(&flight);
  flight_begin(&fresh, rig, rig_pass(rig, BOTH, CAPACITY, 1, TRUE), CAPACITY);
  flight_forward(&fresh);
  assert_memory_equal(flight.output, fresh.output, fresh.out * sizeof(float));
  flight_end(&flight);
  flight_end(&fresh);
}

static void only_commit_moves_the_running_statistics(void **state) {
  (void)state;
  AUTO(rig) rig = rig_new(build, image, 3);
  const struct module *module = rig->module;
  const gsize buffers = module->size - module->parameter_size;
  const guint mean = (guint)module_find(module, "bn1.running_mean");
  struct flight flight;
  flight_begin(&flight, rig, rig_pass(rig, BOTH, CAPACITY, 1, TRUE), CAPACITY);
  g_autofree float *before = g_memdup2(module->values + module->parameter_size, buffers * sizeof(float));
  flight_forward(&flight);
  flight_backward(&flight);
  assert_memory_equal(before, module->values + module->parameter_size, buffers * sizeof(float));
  pass_commit(flight.pass);
  const float old = before[module->offsets[mean] - module->parameter_size], moved = *module_value(module, mean);
  assert_true(moved != old);
  pass_commit(flight.pass); /* x -> 0.9 x + 0.1 b: each commit makes the step 0.9 times as long */
  assert_float_equal(*module_value(module, mean) - moved, 0.9f * (moved - old), 1e-5);
  flight_end(&flight);
}

/* What the plugin answers to wrong calls, which the host itself would not make. */
static int call_forward(struct flight *flight, guint n, struct dvt_error *error) {
  const gint64 *in = flight->rig->module->input, *out = flight->rig->module->output;
  const struct dvt_tensor input = {.data = flight->input, .rank = 4, .shape = {n, in[0], in[1], in[2]}};
  struct dvt_tensor output = {.data = flight->output, .rank = 4, .shape = {n, out[0], out[1], out[2]}};
  return nn_pass_forward(flight->pass->self, &input, &output, error);
}

static int call_backward(struct flight *flight, struct dvt_error *error) {
  const gint64 *out = flight->rig->module->output;
  const struct dvt_tensor gradient = {
      .data = flight->output_gradient, .rank = 4, .shape = {flight->n, out[0], out[1], out[2]}};
  return nn_pass_backward(flight->pass->self, &gradient, NULL, error);
}

static void assert_no_backward(struct flight *flight) {
  struct dvt_error error = DVT_ERROR_INIT;
  assert_int_equal(call_backward(flight, &error), DVT_ERROR_ARGUMENT);
  assert_string_equal(error.message, "backward without a forward of its own");
}

static void assert_refused(struct flight *flight, guint n, const char *message) {
  struct dvt_error error = DVT_ERROR_INIT;
  assert_int_equal(call_forward(flight, n, &error), DVT_ERROR_ARGUMENT);
  assert_string_equal(error.message, message);
  assert_int_equal(call_forward(flight, n, NULL), DVT_ERROR_ARGUMENT);
}

static void batches_of_impossible_sizes_are_errors(void **state) {
  (void)state;
  AUTO(rig) rig = rig_new(linear, image, 3);
  struct flight flight;
  flight_begin(&flight, rig, rig_pass(rig, 0, CAPACITY, 1, FALSE), CAPACITY);
  assert_refused(&flight, 0, "a batch of 0; the pass was made for 1 to 6");
  assert_refused(&flight, CAPACITY + 1, "a batch of 7; the pass was made for 1 to 6");
  assert_int_equal(call_forward(&flight, CAPACITY, NULL), DVT_OK);
  flight_end(&flight);
}

static void backward_needs_a_forward_of_its_own(void **state) {
  (void)state;
  AUTO(rig) rig = rig_new(linear, image, 3);
  struct flight flight, evaluation;
  flight_begin(&flight, rig, rig_pass(rig, BOTH, CAPACITY, 1, TRUE), CAPACITY);
  assert_no_backward(&flight);
  flight_forward(&flight);
  flight_backward(&flight);
  assert_no_backward(&flight);
  flight_forward(&flight);
  assert_int_equal(call_forward(&flight, CAPACITY + 1, NULL), DVT_ERROR_ARGUMENT);
  assert_no_backward(&flight);
  flight_forward(&flight);
  assert_int_equal(call_backward(&flight, NULL), DVT_OK);
  flight_end(&flight);
  flight_begin(&evaluation, rig, rig_pass(rig, 0, CAPACITY, 1, FALSE), CAPACITY);
  flight_forward(&evaluation);
  assert_no_backward(&evaluation);
  flight_end(&evaluation);
}

static void *no_memory(const struct dvt_host *host, size_t size) {
  (void)host;
  (void)size;
  return NULL;
}

static void lack_of_memory_is_an_error(void **state) {
  (void)state;
  AUTO(rig) rig = rig_new(build, image, 3);
  const struct dvt_pass_config config = {.flags = BOTH, .capacity = 4, .threads = 1};
  struct dvt_error error = DVT_ERROR_INIT;
  void *pass = NULL;
  rig->services.table.allocate = no_memory;
  assert_int_equal(nn_pass_create(rig->module->self, &config, &pass, &error), DVT_ERROR_MEMORY);
  assert_non_null(strstr(error.message, "out of memory"));
  assert_int_equal(nn_pass_create(rig->module->self, &config, &pass, NULL), DVT_ERROR_MEMORY);
  assert_null(pass);
}

static void check_refusal(rig_build layers, const char *message) {
  struct nn_graph *graph = nn_graph_new(image);
  struct nn_module module = {0};
  struct dvt_error error = DVT_ERROR_INIT;
  nn_output(graph, layers(graph, NN_INPUT));
  assert_int_equal(nn_module_init(&module, NULL, graph, &error), DVT_ERROR_ARGUMENT);
  assert_string_equal(error.message, message);
  nn_module_finish(&module);
}

static void layers_that_do_not_fit_are_errors(void **state) {
  (void)state;
  check_refusal(unfit, "linear: a linear layer takes one value a channel, not a map");
  check_refusal(uneven_sum, "sum: a sum of two values of different shapes");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(flights_at_once_give_the_same_bits),
      cmocka_unit_test(numbers_of_threads_agree),
      cmocka_unit_test(a_pass_moves_between_threads),
      cmocka_unit_test(batches_of_other_sizes_leave_no_trace),
      cmocka_unit_test(a_small_batch_is_as_in_a_pass_made_for_it),
      cmocka_unit_test(evaluation_takes_images_one_by_one),
      cmocka_unit_test(evaluation_is_training_with_running_statistics),
      cmocka_unit_test(a_frozen_module_passes_gradients_on),
      cmocka_unit_test(gradients_add_up),
      cmocka_unit_test(changed_values_count_from_changed_on),
      cmocka_unit_test(only_commit_moves_the_running_statistics),
      cmocka_unit_test(batches_of_impossible_sizes_are_errors),
      cmocka_unit_test(backward_needs_a_forward_of_its_own),
      cmocka_unit_test(lack_of_memory_is_an_error),
      cmocka_unit_test(layers_that_do_not_fit_are_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
