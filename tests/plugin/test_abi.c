/* SPDX-License-Identifier: MIT */
/*
 * The plugin ABI 1.0 as it was published, in bytes on a 64-bit machine: a change to a row breaks plugins that exist.
 * A later minor only adds fields behind the last one of a struct, so that the struct's own size grows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dovetail/dovetail.h>

#include "skip.h"

#define STRUCT(type, size)                                                                                             \
  { #type, 0, sizeof(struct type), 0, size }
#define FIELD(type, field, place, size)                                                                                \
  { #type "." #field, offsetof(struct type, field), sizeof((struct type *)0)->field, place, size }
#define CONSTANT(name, value)                                                                                          \
  { #name, name, value }

/* Of a struct or a field. */
struct row {
  const char *what;
  size_t place, size, published_place, published_size;
};

static void check_rows(const struct row *rows, size_t count) {
  for (size_t k = 0; k < count; k++)
    if (rows[k].place != rows[k].published_place || rows[k].size != rows[k].published_size)
      fail_msg("%s: %zu bytes at %zu; published: %zu at %zu", rows[k].what, rows[k].size, rows[k].place,
               rows[k].published_size, rows[k].published_place);
}

static void an_error_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_error, 1040),          FIELD(dvt_error, struct_size, 0, 4),
      FIELD(dvt_error, status, 4, 4),   FIELD(dvt_error, message, 8, 1016),
      FIELD(dvt_error, param, 1024, 8), FIELD(dvt_error, item, 1032, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void a_parameter_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_param, 64),
      FIELD(dvt_param, name, 0, 8),
      FIELD(dvt_param, type, 8, 4),
      FIELD(dvt_param, reserved, 12, 4),
      FIELD(dvt_param, initial, 16, 8),
      FIELD(dvt_param, least, 24, 8),
      FIELD(dvt_param, greatest, 32, 8),
      FIELD(dvt_param, choices, 40, 8),
      FIELD(dvt_param, unit, 48, 8),
      FIELD(dvt_param, doc, 56, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void a_value_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_value, 16),           FIELD(dvt_value, type, 0, 4),   FIELD(dvt_value, count, 4, 4),
      FIELD(dvt_value, integer, 8, 8), FIELD(dvt_value, number, 8, 8), FIELD(dvt_value, string, 8, 8),
      FIELD(dvt_value, strings, 8, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void the_host_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_host, 72),
      FIELD(dvt_host, struct_size, 0, 4),
      FIELD(dvt_host, abi_major, 4, 2),
      FIELD(dvt_host, abi_minor, 6, 2),
      FIELD(dvt_host, context, 8, 8),
      FIELD(dvt_host, threads, 16, 4),
      FIELD(dvt_host, reserved, 20, 4),
      FIELD(dvt_host, log, 24, 8),
      FIELD(dvt_host, allocate, 32, 8),
      FIELD(dvt_host, release, 40, 8),
      FIELD(dvt_host, random, 48, 8),
      FIELD(dvt_host, parallel_for, 56, 8),
      FIELD(dvt_host, choose, 64, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void a_tensor_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_tensor, 88),           FIELD(dvt_tensor, data, 0, 8),  FIELD(dvt_tensor, dtype, 8, 4),
      FIELD(dvt_tensor, place, 12, 4),  FIELD(dvt_tensor, rank, 16, 4), FIELD(dvt_tensor, reserved, 20, 4),
      FIELD(dvt_tensor, shape, 24, 64),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void the_config_of_a_module_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_module_config, 40),           FIELD(dvt_module_config, struct_size, 0, 4),
      FIELD(dvt_module_config, classes, 4, 4), FIELD(dvt_module_config, input, 8, 24),
      FIELD(dvt_module_config, split, 32, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void a_split_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_split, 40),        FIELD(dvt_split, struct_size, 0, 4), FIELD(dvt_split, reserved, 4, 4),
      FIELD(dvt_split, name, 8, 8), FIELD(dvt_split, shape, 16, 24),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void a_weight_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_weight, 96),           FIELD(dvt_weight, struct_size, 0, 4),  FIELD(dvt_weight, role, 4, 4),
      FIELD(dvt_weight, name, 8, 8),    FIELD(dvt_weight, rank, 16, 4),        FIELD(dvt_weight, decays, 20, 4),
      FIELD(dvt_weight, shape, 24, 64), FIELD(dvt_weight, initialiser, 88, 4), FIELD(dvt_weight, init_value, 92, 4),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void the_config_of_a_pass_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_pass_config, 32),
      FIELD(dvt_pass_config, struct_size, 0, 4),
      FIELD(dvt_pass_config, flags, 4, 4),
      FIELD(dvt_pass_config, capacity, 8, 4),
      FIELD(dvt_pass_config, threads, 12, 4),
      FIELD(dvt_pass_config, precision, 16, 4),
      FIELD(dvt_pass_config, reserved, 20, 4),
      FIELD(dvt_pass_config, gradients, 24, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void the_times_of_a_pass_are_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_pass_times, 56),
      FIELD(dvt_pass_times, struct_size, 0, 4),
      FIELD(dvt_pass_times, reserved, 4, 4),
      FIELD(dvt_pass_times, forward, 8, 8),
      FIELD(dvt_pass_times, backward_data, 16, 8),
      FIELD(dvt_pass_times, backward_weights, 24, 8),
      FIELD(dvt_pass_times, norm, 32, 8),
      FIELD(dvt_pass_times, other, 40, 8),
      FIELD(dvt_pass_times, operations, 48, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void the_calls_of_a_module_are_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_module_ops, 120),
      FIELD(dvt_module_ops, struct_size, 0, 4),
      FIELD(dvt_module_ops, reserved, 4, 4),
      FIELD(dvt_module_ops, create, 8, 8),
      FIELD(dvt_module_ops, destroy, 16, 8),
      FIELD(dvt_module_ops, init, 24, 8),
      FIELD(dvt_module_ops, split, 32, 8),
      FIELD(dvt_module_ops, weight, 40, 8),
      FIELD(dvt_module_ops, output_shape, 48, 8),
      FIELD(dvt_module_ops, bind, 56, 8),
      FIELD(dvt_module_ops, changed, 64, 8),
      FIELD(dvt_module_ops, pass_create, 72, 8),
      FIELD(dvt_module_ops, pass_destroy, 80, 8),
      FIELD(dvt_module_ops, forward, 88, 8),
      FIELD(dvt_module_ops, backward, 96, 8),
      FIELD(dvt_module_ops, commit, 104, 8),
      FIELD(dvt_module_ops, times, 112, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void what_a_dataset_tells_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_dataset_info, 72),
      FIELD(dvt_dataset_info, struct_size, 0, 4),
      FIELD(dvt_dataset_info, class_count, 4, 4),
      FIELD(dvt_dataset_info, image, 8, 24),
      FIELD(dvt_dataset_info, count, 32, 16),
      FIELD(dvt_dataset_info, class_names, 48, 8),
      FIELD(dvt_dataset_info, mean, 56, 8),
      FIELD(dvt_dataset_info, deviation, 64, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void the_calls_of_a_dataset_are_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_dataset_ops, 48),
      FIELD(dvt_dataset_ops, struct_size, 0, 4),
      FIELD(dvt_dataset_ops, reserved, 4, 4),
      FIELD(dvt_dataset_ops, create, 8, 8),
      FIELD(dvt_dataset_ops, destroy, 16, 8),
      FIELD(dvt_dataset_ops, init, 24, 8),
      FIELD(dvt_dataset_ops, info, 32, 8),
      FIELD(dvt_dataset_ops, read, 40, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void a_weight_of_a_network_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_network_weight, 112),
      FIELD(dvt_network_weight, struct_size, 0, 4),
      FIELD(dvt_network_weight, component, 4, 4),
      FIELD(dvt_network_weight, role, 8, 4),
      FIELD(dvt_network_weight, frozen, 12, 4),
      FIELD(dvt_network_weight, name, 16, 8),
      FIELD(dvt_network_weight, value, 24, 88),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void a_network_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_network, 112),
      FIELD(dvt_network, struct_size, 0, 4),
      FIELD(dvt_network, index, 4, 4),
      FIELD(dvt_network, name, 8, 8),
      FIELD(dvt_network, dataset, 16, 8),
      FIELD(dvt_network, class_names, 24, 8),
      FIELD(dvt_network, class_count, 32, 4),
      FIELD(dvt_network, batch, 36, 4),
      FIELD(dvt_network, image, 40, 24),
      FIELD(dvt_network, features, 64, 24),
      FIELD(dvt_network, split, 88, 8),
      FIELD(dvt_network, frozen, 96, 4),
      FIELD(dvt_network, weight_count, 100, 4),
      FIELD(dvt_network, weights, 104, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void a_batch_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_batch, 56),           FIELD(dvt_batch, struct_size, 0, 4), FIELD(dvt_batch, network, 4, 4),
      FIELD(dvt_batch, epoch, 8, 8),   FIELD(dvt_batch, step, 16, 8),       FIELD(dvt_batch, weight, 24, 8),
      FIELD(dvt_batch, count, 32, 4),  FIELD(dvt_batch, threads, 36, 4),    FIELD(dvt_batch, images, 40, 8),
      FIELD(dvt_batch, labels, 48, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void the_request_for_a_head_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_head_request, 32),           FIELD(dvt_head_request, struct_size, 0, 4),
      FIELD(dvt_head_request, classes, 4, 4), FIELD(dvt_head_request, name, 8, 8),
      FIELD(dvt_head_request, plugin, 16, 8), FIELD(dvt_head_request, class_names, 24, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void the_host_of_an_aligner_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_aligner_host, 56),
      FIELD(dvt_aligner_host, struct_size, 0, 4),
      FIELD(dvt_aligner_host, reserved, 4, 4),
      FIELD(dvt_aligner_host, base, 8, 8),
      FIELD(dvt_aligner_host, context, 16, 8),
      FIELD(dvt_aligner_host, make_head, 24, 8),
      FIELD(dvt_aligner_host, head_forward, 32, 8),
      FIELD(dvt_aligner_host, cross_entropy, 40, 8),
      FIELD(dvt_aligner_host, head_backward, 48, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void the_calls_of_an_aligner_are_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_aligner_ops, 72),
      FIELD(dvt_aligner_ops, struct_size, 0, 4),
      FIELD(dvt_aligner_ops, flags, 4, 4),
      FIELD(dvt_aligner_ops, create, 8, 8),
      FIELD(dvt_aligner_ops, destroy, 16, 8),
      FIELD(dvt_aligner_ops, init, 24, 8),
      FIELD(dvt_aligner_ops, initialise, 32, 8),
      FIELD(dvt_aligner_ops, feature_loss, 40, 8),
      FIELD(dvt_aligner_ops, make_view, 48, 8),
      FIELD(dvt_aligner_ops, view_loss, 56, 8),
      FIELD(dvt_aligner_ops, joint_loss, 64, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void a_plugin_is_as_published(void **state) {
  (void)state;
  static const struct row rows[] = {
      STRUCT(dvt_plugin, 96),
      FIELD(dvt_plugin, magic, 0, 4),
      FIELD(dvt_plugin, abi_major, 4, 2),
      FIELD(dvt_plugin, abi_minor, 6, 2),
      FIELD(dvt_plugin, struct_size, 8, 4),
      FIELD(dvt_plugin, param_size, 12, 4),
      FIELD(dvt_plugin, host_minor, 16, 4),
      FIELD(dvt_plugin, kind, 20, 4),
      FIELD(dvt_plugin, name, 24, 8),
      FIELD(dvt_plugin, version, 32, 8),
      FIELD(dvt_plugin, description, 40, 8),
      FIELD(dvt_plugin, author, 48, 8),
      FIELD(dvt_plugin, licence, 56, 8),
      FIELD(dvt_plugin, params, 64, 8),
      FIELD(dvt_plugin, param_count, 72, 4),
      FIELD(dvt_plugin, reserved, 76, 4),
      FIELD(dvt_plugin, ops, 80, 8),
      FIELD(dvt_plugin, next, 88, 8),
  };
  check_rows(rows, sizeof rows / sizeof *rows);
}

static void constants_are_as_published(void **state) {
  (void)state;
  static const struct {
    const char *what;
    int64_t value, published;
  } rows[] = {
      CONSTANT(DVT_MAGIC, 0x4c545644),
      CONSTANT(DVT_OK, 0),
      CONSTANT(DVT_ERROR_ARGUMENT, -1),
      CONSTANT(DVT_ERROR_MEMORY, -2),
      CONSTANT(DVT_ERROR_IO, -3),
      CONSTANT(DVT_ERROR_UNSUPPORTED, -4),
      CONSTANT(DVT_ERROR_INTERNAL, -5),
      CONSTANT(DVT_TYPE_INT, 1),
      CONSTANT(DVT_TYPE_FLOAT, 2),
      CONSTANT(DVT_TYPE_BOOL, 3),
      CONSTANT(DVT_TYPE_STRING, 4),
      CONSTANT(DVT_TYPE_PATH, 5),
      CONSTANT(DVT_TYPE_STRINGS, 6),
      CONSTANT(DVT_LOG_DEBUG, 1),
      CONSTANT(DVT_LOG_INFO, 2),
      CONSTANT(DVT_LOG_WARNING, 3),
      CONSTANT(DVT_F32, 1),
      CONSTANT(DVT_PLACE_HOST, 1),
      CONSTANT(DVT_WEIGHT_PARAMETER, 1),
      CONSTANT(DVT_WEIGHT_BUFFER, 2),
      CONSTANT(DVT_INIT_CONSTANT, 1),
      CONSTANT(DVT_INIT_NORMAL, 2),
      CONSTANT(DVT_INIT_UNIFORM, 3),
      CONSTANT(DVT_PASS_BATCH_STATISTICS, 1),
      CONSTANT(DVT_PASS_BACKWARD, 2),
      CONSTANT(DVT_PRECISION_AUTO, 0),
      CONSTANT(DVT_PRECISION_FLOAT32, 1),
      CONSTANT(DVT_PRECISION_BFLOAT16, 2),
      CONSTANT(DVT_SUBSET_TRAIN, 0),
      CONSTANT(DVT_SUBSET_TEST, 1),
      CONSTANT(DVT_SUBSET_COUNT, 2),
      CONSTANT(DVT_COMPONENT_EXTRACTOR, 1),
      CONSTANT(DVT_COMPONENT_HEAD, 2),
      CONSTANT(DVT_ALIGNER_PAIRED, 1),
      CONSTANT(DVT_KIND_BACKBONE, 1),
      CONSTANT(DVT_KIND_HEAD, 2),
      CONSTANT(DVT_KIND_ALIGNER, 3),
      CONSTANT(DVT_KIND_DATASET, 4),
      CONSTANT(DVT_ABI_MAJOR, 1),
      CONSTANT(DVT_MAX_RANK, 8),
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
    if (rows[k].value != rows[k].published)
      fail_msg("%s is %lld; published: %lld", rows[k].what, (long long)rows[k].value, (long long)rows[k].published);
}

/* A host of 1.0 has room for no more than its own fields. */
static void an_error_of_1_0_gets_no_blame(void **state) {
  (void)state;
  struct dvt_error error;
  memset(&error, 0x55, sizeof error);
  error.struct_size = offsetof(struct dvt_error, param);
  const struct dvt_error before = error;
  assert_int_equal(dvt_blame(&error, dvt_fail(&error, DVT_ERROR_IO, "no %s", "file"), "path", 2), DVT_ERROR_IO);
  assert_string_equal(error.message, "no file");
  assert_memory_equal(&error.param, &before.param, sizeof error - offsetof(struct dvt_error, param));
}

static void an_error_has_the_blame_of_its_last_message_alone(void **state) {
  (void)state;
  struct dvt_error error = DVT_ERROR_INIT;
  assert_int_equal(dvt_blame(&error, dvt_fail(&error, DVT_ERROR_IO, "no file"), "path", 2), DVT_ERROR_IO);
  assert_string_equal(error.param, "path");
  assert_int_equal(error.item, 2);
  dvt_fail(&error, DVT_ERROR_IO, "no folder");
  assert_null(error.param);
  assert_int_equal(dvt_blame(NULL, DVT_ERROR_IO, "path", 0), DVT_ERROR_IO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_error_is_as_published),
      cmocka_unit_test(a_parameter_is_as_published),
      cmocka_unit_test(a_value_is_as_published),
      cmocka_unit_test(the_host_is_as_published),
      cmocka_unit_test(a_tensor_is_as_published),
      cmocka_unit_test(the_config_of_a_module_is_as_published),
      cmocka_unit_test(a_split_is_as_published),
      cmocka_unit_test(a_weight_is_as_published),
      cmocka_unit_test(the_config_of_a_pass_is_as_published),
      cmocka_unit_test(the_times_of_a_pass_are_as_published),
      cmocka_unit_test(the_calls_of_a_module_are_as_published),
      cmocka_unit_test(what_a_dataset_tells_is_as_published),
      cmocka_unit_test(the_calls_of_a_dataset_are_as_published),
      cmocka_unit_test(a_weight_of_a_network_is_as_published),
      cmocka_unit_test(a_network_is_as_published),
      cmocka_unit_test(a_batch_is_as_published),
      cmocka_unit_test(the_request_for_a_head_is_as_published),
      cmocka_unit_test(the_host_of_an_aligner_is_as_published),
      cmocka_unit_test(the_calls_of_an_aligner_are_as_published),
      cmocka_unit_test(a_plugin_is_as_published),
      cmocka_unit_test(constants_are_as_published),
      cmocka_unit_test(an_error_of_1_0_gets_no_blame),
      cmocka_unit_test(an_error_has_the_blame_of_its_last_message_alone),
  };
  if (sizeof(void *) != 8) return skip_all("the layout is that of a 64-bit machine");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
