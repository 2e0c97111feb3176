/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/safetensors.h"
#include "store_test.h"

static const char bytes[] = "0123456789abcdefghijklmnopqrstuvwxyz";

static void add(GHashTable *metadata, const char *key, const char *value) {
  g_hash_table_insert(metadata, (gpointer)key, (gpointer)value);
}

static void writes(const char *path, const struct safetensor *tensors, guint count, GHashTable *metadata) {
  GError *error = NULL;
  if (!safetensors_write(path, tensors, count, metadata, &error)) fail_msg("%s", error->message);
}

static void assert_bytes(const char *path, const void *expected, gsize size) {
  g_autofree char *found = NULL;
  gsize length;
  assert_true(g_file_get_contents(path, &found, &length, NULL));
  assert_int_equal(length, size);
  assert_memory_equal(found, expected, size);
}

static void pads_the_header_to_eight_bytes(void **state) {
  static const char expected[] = "\100\0\0\0\0\0\0\0"
                                 "{\"conv1\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}    "
                                 "01234567";
  const struct safetensor tensor = {"conv1", "F32", 2, {1, 2}, bytes, 8};
  g_autofree char *path = scratch_path(state, "file");
  writes(path, &tensor, 1, NULL);
  assert_bytes(path, expected, sizeof expected - 1);
}

static void writes_a_file_without_tensors(void **state) {
  g_autofree char *path = scratch_path(state, "file");
  writes(path, NULL, 0, NULL);
  assert_bytes(path, "\10\0\0\0\0\0\0\0{}      ", 16);
}

static void metadata_come_first_in_order(void **state) {
  static const char expected[] = "\100\0\0\0\0\0\0\0"
                                 "{\"__metadata__\":{\"bias\":\"1\",\"plan\":\"1\",\"split\":\"1\",\"wide\":\"1\"}} ";
  static const char *const keys[] = {"wide", "bias", "split", "plan"};
  g_autofree char *path = scratch_path(state, "file");
  g_autoptr(GHashTable) metadata = g_hash_table_new(g_str_hash, g_str_equal);
  for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) add(metadata, keys[k], "1");
  writes(path, NULL, 0, metadata);
  assert_bytes(path, expected, sizeof expected - 1);
}

/* The wide types first, then by name, whatever the order they are given in. */
static void sorts_by_alignment_then_name(void **state) {
  const struct safetensor tensors[] = {
      {"b", "U8", 1, {3}, "bbb", 3},   {"z", "F64", 1, {1}, "zzzzzzzz", 8}, {"a", "F32", 1, {1}, "aaaa", 4},
      {"c", "BF16", 1, {1}, "cc", 2},  {"a2", "BOOL", 1, {1}, "2", 1},      {"y", "I64", 1, {1}, "yyyyyyyy", 8},
      {"A", "U32", 1, {1}, "AAAA", 4},
  };
  static const char data[] = "yyyyyyyyzzzzzzzzAAAAaaaacc2bbb";
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "file");
  writes(path, tensors, G_N_ELEMENTS(tensors), NULL);
  AUTO(safetensors) file = safetensors_read(path, &error);
  assert_non_null(file);
  const struct safetensor *first = g_ptr_array_index(file->tensors, 0);
  assert_memory_equal(first->data, data, sizeof data - 1);
  for (guint k = 0; k < file->tensors->len; k++) {
    const struct safetensor *tensor = g_ptr_array_index(file->tensors, k);
    if (tensor->rank && tensor->shape[0] == 1) assert_int_equal((uintptr_t)tensor->data % tensor->size, 0);
  }
}

static void what_is_written_reads_back(void **state) {
  static const char *const types[] = {"BOOL", "U8",   "I8",  "U16", "I16", "U32",     "I32",     "U64",
                                      "I64",  "BF16", "F16", "F32", "F64", "F8_E4M3", "F8_E5M2", "C64"};
  static const gsize sizes[] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8, 1, 1, 8};
  struct safetensor tensors[G_N_ELEMENTS(types) + 3] = {
      [G_N_ELEMENTS(types)] = {"scalar", "F32", 0, {0}, bytes, 4},
      {"empty", "F32", 3, {2, 0, 3}, NULL, 0},
      {"tür \"\\\n/", "U8", SAFETENSORS_MAX_RANK, {1, 2, 1, 2, 1, 2, 1, 1}, bytes + 1, 8},
  };
  for (gsize k = 0; k < G_N_ELEMENTS(types); k++)
    tensors[k] = (struct safetensor){types[k], types[k], 2, {2, 2}, bytes + k % 4, 4 * sizes[k]};
  GError *error = NULL;
  g_autoptr(GHashTable) metadata = g_hash_table_new(g_str_hash, g_str_equal);
  add(metadata, "", "");
  add(metadata, "clé", "\"\\ \x01 é\n");
  g_autofree char *path = scratch_path(state, "file");
  writes(path, tensors, G_N_ELEMENTS(tensors), metadata);
  AUTO(safetensors) file = safetensors_read(path, &error);
  if (!file) fail_msg("%s", error->message);
  assert_int_equal(file->tensors->len, G_N_ELEMENTS(tensors));
  for (gsize k = 0; k < G_N_ELEMENTS(tensors); k++) {
    const struct safetensor *found = safetensors_find(file, tensors[k].name);
    assert_non_null(found);
    assert_string_equal(found->dtype, tensors[k].dtype);
    assert_int_equal(found->rank, tensors[k].rank);
    assert_memory_equal(found->shape, tensors[k].shape, found->rank * sizeof *found->shape);
    assert_int_equal(found->size, tensors[k].size);
    if (found->size) assert_memory_equal(found->data, tensors[k].data, found->size);
  }
  assert_int_equal(g_hash_table_size(file->metadata), 2);
  assert_string_equal(g_hash_table_lookup(file->metadata, ""), "");
  assert_string_equal(g_hash_table_lookup(file->metadata, "clé"), "\"\\ \x01 é\n");
}

static void refuses(void **state, const struct safetensor *tensors, guint count, const char *word) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "file");
  assert_false(safetensors_write(path, tensors, count, NULL, &error));
  assert_failed_with(&error, path, word, NULL);
  assert_int_equal(scratch_count(*state), 0);
}

static void refuses_what_a_reader_would(void **state) {
  const struct safetensor good = {"a", "F32", 1, {2}, bytes, 8};
  struct safetensor bad = good;
  bad.dtype = "F31";
  refuses(state, &bad, 1, "dtype 'F31'");
  bad = good, bad.size = 7;
  refuses(state, &bad, 1, "tensor 'a': its shape does not take its 7 bytes");
  bad = good, bad.shape[0] = -2;
  refuses(state, &bad, 1, "tensor 'a': a dimension is negative");
  bad = good, bad.rank = SAFETENSORS_MAX_RANK + 1;
  refuses(state, &bad, 1, "tensor 'a': has 9 dimensions");
  bad = (struct safetensor){"a", "F32", 2, {G_MAXINT64, G_MAXINT64}, bytes, 4};
  refuses(state, &bad, 1, "tensor 'a'");
  bad = good, bad.name = "__metadata__";
  refuses(state, &bad, 1, "'__metadata__'");
  bad = good, bad.name = "\xff";
  refuses(state, &bad, 1, "no tensor can have the name");
}

static void refuses_two_of_a_name(void **state) {
  const struct safetensor tensors[] = {
      {"a", "F32", 1, {1}, bytes, 4}, {"b", "F32", 1, {1}, bytes, 4}, {"a", "U8", 1, {1}, bytes, 1}};
  refuses(state, tensors, G_N_ELEMENTS(tensors), "two tensors have the name 'a'");
}

static void refuses_metadata_that_are_not_utf8(void **state) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "file");
  for (guint k = 0; k < 2; k++) {
    g_autoptr(GHashTable) metadata = g_hash_table_new(g_str_hash, g_str_equal);
    add(metadata, k ? "key" : "\xff", k ? "\xff" : "value");
    assert_false(safetensors_write(path, NULL, 0, metadata, &error));
    assert_failed_with(&error, path, "is not UTF-8", NULL);
    assert_int_equal(scratch_count(*state), 0);
  }
}

static void refuses_a_header_beyond_the_limit(void **state) {
  GError *error = NULL;
  g_autofree char *path = scratch_path(state, "file"), *huge = g_strnfill(SAFETENSORS_MAX_HEADER, 'x');
  g_autoptr(GHashTable) metadata = g_hash_table_new(g_str_hash, g_str_equal);
  add(metadata, "key", huge);
  assert_false(safetensors_write(path, NULL, 0, metadata, &error));
  assert_failed_with(&error, path, "at most 100000000", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(pads_the_header_to_eight_bytes),
      SCRATCH_TEST(writes_a_file_without_tensors),
      SCRATCH_TEST(metadata_come_first_in_order),
      SCRATCH_TEST(sorts_by_alignment_then_name),
      SCRATCH_TEST(what_is_written_reads_back),
      SCRATCH_TEST(refuses_what_a_reader_would),
      SCRATCH_TEST(refuses_two_of_a_name),
      SCRATCH_TEST(refuses_metadata_that_are_not_utf8),
      SCRATCH_TEST(refuses_a_header_beyond_the_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
