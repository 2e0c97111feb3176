/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "store/safetensors.h"
#include "store_test.h"

static struct safetensors *read_bytes(void **state, const void *bytes, gsize size, GError **error) {
  g_autofree char *path = scratch_file(state, "file.safetensors", bytes, size);
  return safetensors_read(path, error);
}

static struct safetensors *read_header(void **state, const char *header, gsize size, GError **error) {
  g_autoptr(GByteArray) bytes = scratch_safetensors(header, size);
  return read_bytes(state, bytes->data, bytes->len, error);
}

/* Every message names the file, and holds `word`. */
static void refuses(void **state, const char *header, gsize size, const char *word) {
  GError *error = NULL;
  assert_null(read_header(state, header, size, &error));
  assert_failed_with(&error, "file.safetensors: ", word, NULL);
}

static void refuses_bytes(void **state, const void *bytes, gsize size, const char *word) {
  GError *error = NULL;
  assert_null(read_bytes(state, bytes, size, &error));
  assert_failed_with(&error, "file.safetensors: ", word, NULL);
}

static void accepts(void **state, const char *header, gsize size) {
  GError *error = NULL;
  AUTO(safetensors) file = read_header(state, header, size, &error);
  if (!file) fail_msg("%s", error->message);
}

static void reads_names_types_shapes_data_and_metadata(void **state) {
  GError *error = NULL;
  AUTO(safetensors) file = read_header(state,
                                       "{\"b\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[4,12]},"
                                       "\"__metadata__\":{\"who\":\"\\u00e9 me\"},"
                                       "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
                                       12, &error);
  assert_non_null(file);
  assert_int_equal(file->tensors->len, 2);
  const struct safetensor *a = safetensors_find(file, "a"), *b = safetensors_find(file, "b");
  assert_ptr_equal(g_ptr_array_index(file->tensors, 0), a); /* in the order of their data */
  assert_ptr_equal(g_ptr_array_index(file->tensors, 1), b);
  assert_string_equal(a->name, "a");
  assert_string_equal(b->dtype, "F32");
  assert_int_equal(b->rank, 2);
  assert_int_equal(b->shape[0], 2);
  assert_int_equal(b->shape[1], 1);
  assert_int_equal(b->size, 8);
  assert_memory_equal(a->data, "\0\1\2\3", 4);
  assert_memory_equal(b->data, "\4\5\6\7\10\11\12\13", 8);
  assert_null(safetensors_find(file, "c"));
  assert_int_equal(g_hash_table_size(file->metadata), 1);
  assert_string_equal(g_hash_table_lookup(file->metadata, "who"), "é me");
}

static void reads_a_file_without_tensors(void **state) {
  accepts(state, "{}", 0);
  accepts(state, "{\"__metadata__\":{}}", 0);
  refuses(state, "{}", 1, "1 bytes after the last tensor");
}

static void reads_white_space_round_the_header(void **state) {
  accepts(state, " \n\t{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}  \n ", 1);
}

static void ignores_unknown_keys_of_an_entry(void **state) {
  accepts(state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"note\":null}}", 1);
}

static void needs_eight_bytes(void **state) {
  refuses_bytes(state, "", 0, "has 0 bytes");
  refuses_bytes(state, "\2\0\0\0\0\0\0", 7, "has 7 bytes");
}

static void limits_the_header(void **state) {
  refuses_bytes(state, "\1\341\365\5\0\0\0\0{}", 10, "a header of 100000001 bytes; at most 100000000");
  refuses_bytes(state, "\0\341\365\5\0\0\0\0{}", 10, "ends within its header"); /* 100,000,000 itself is allowed */
  refuses_bytes(state, "\377\377\377\377\377\377\377\377{}", 10, "a header of 18446744073709551615 bytes");
}

static void needs_the_whole_header(void **state) {
  refuses_bytes(state, "\3\0\0\0\0\0\0\0{}", 10, "ends within its header: 3 bytes stated, 2 there");
  refuses_bytes(state, "\2\0\0\0\0\0\0\0", 8, "ends within its header");
}

static void header_is_one_json_object(void **state) {
  refuses(state, "", 0, "not valid JSON");
  refuses(state, "[]", 0, "a JSON array");
  refuses(state, "7", 0, "not valid JSON");
  refuses(state, "{", 0, "not valid JSON");
  refuses(state, "{}{}", 0, "not valid JSON");
  refuses(state, "{\"a\":}", 0, "not valid JSON");
  refuses_bytes(state, "\4\0\0\0\0\0\0\0{}\0\0", 12, "not valid JSON"); /* zeros are no padding */
}

static void header_is_utf8(void **state) {
  refuses(state, "{\"__metadata__\":{\"a\":\"\xff\"}}", 0, "not valid JSON");
  refuses(state, "{\"\xc3(\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "not valid JSON");
  refuses(state, "\xef\xbb\xbf{}", 0, "not valid JSON");
}

static void deep_nesting_is_an_error(void **state) {
  g_autofree char *nested = g_strnfill(1 << 20, '[');
  refuses(state, nested, 0, "maximum parsing depth");
}

#define U8(name, begin, end, size)                                                                                     \
  "\"" name "\":{\"dtype\":\"U8\",\"shape\":[" #size "],\"data_offsets\":[" #begin "," #end "]}"

static void duplicate_keys_are_named(void **state) {
  refuses(state, "{" U8("a", 0, 1, 1) "," U8("b", 1, 2, 1) "," U8("a", 2, 3, 1) "}", 3, "the key \"a\" twice");
  refuses(state, "{" U8("a", 0, 1, 1) "," U8("\\u0061", 1, 2, 1) "}", 2, "the key \"\\u0061\" twice");
  refuses(state, "{\"__metadata__\":{\"x\":\"1\",\"x\":\"2\"}}", 0, "the key \"x\" twice");
  refuses(state, "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "the key \"__metadata__\" twice");
  refuses(state, "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
          "the key \"dtype\" twice");
}

static void long_duplicate_keys_are_named(void **state) {
  refuses(state,
          "{" U8("layer1.0.conv1.weight.of.a.long.name", 0, 1, 1) "," U8("layer1.0.conv1.weight.of.a.long.name", 1, 2,
                                                                         1) "}",
          2, "the key \"layer1.0.conv1.weight.of.a.long.name\" twice");
  refuses(state,
          "{" U8("a long name \\\\\\\" with a quote \\\\", 0, 1, 1) "," U8("a long name \\\\\\\" with a quote \\\\", 1,
                                                                           2, 1) "}",
          2, "the key \"a long name \\\\\\\" with a quote \\\\\" twice");
}

static void metadata_are_strings(void **state) {
  refuses(state, "{\"__metadata__\":[]}", 0, "__metadata__");
  refuses(state, "{\"__metadata__\":null}", 0, "__metadata__");
  refuses(state, "{\"__metadata__\":{\"depth\":8}}", 0, "'depth' is not a string");
}

static void entries_are_complete(void **state) {
  refuses(state, "{\"a\":7}", 0, "tensor 'a': its entry");
  refuses(state, "{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "tensor 'a': dtype");
  refuses(state, "{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "tensor 'a': dtype");
  refuses(state, "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, "tensor 'a': shape");
  refuses(state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "tensor 'a': data_offsets");
  refuses(state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, "tensor 'a': data_offsets");
  refuses(state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,1]}}", 1, "tensor 'a': data_offsets");
  refuses(state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":{\"0\":0}}}", 1, "tensor 'a': data_offsets");
}

static void numbers_are_integers_from_zero_on(void **state) {
  refuses(state, "{" U8("a", -1, 1, 2) "}", 2, "tensor 'a': data_offsets");
  refuses(state, "{" U8("a", 0.0, 1, 1) "}", 1, "tensor 'a': data_offsets");
  refuses(state, "{" U8("a", 0, "1", 1) "}", 1, "tensor 'a': data_offsets");
  refuses(state, "{" U8("a", 0, 1, -1) "}", 1, "tensor 'a': shape");
  refuses(state, "{" U8("a", 0, 1, 1.5) "}", 1, "tensor 'a': shape");
  refuses(state, "{" U8("a", 0, 18446744073709551616, 1) "}", 1, "18446744073709551616");
}

static void unknown_types_are_named(void **state) {
  refuses(state, "{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor 'a': dtype 'F31'");
  refuses(state, "{\"a\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor 'a': dtype 'f32'");
}

static void knows_the_size_of_every_type(void **state) {
  static const struct {
    const char *name;
    guint bits;
  } types[] = {
      {"BOOL", 8},    {"U8", 8},      {"I8", 8},          {"U16", 16},        {"I16", 16},    {"U32", 32},
      {"I32", 32},    {"U64", 64},    {"I64", 64},        {"F16", 16},        {"BF16", 16},   {"F32", 32},
      {"F64", 64},    {"C64", 64},    {"F8_E5M2", 8},     {"F8_E4M3", 8},     {"F8_E8M0", 8}, {"F4", 4},
      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F8_E5M2FNUZ", 8}, {"F8_E4M3FNUZ", 8},
  };
  for (gsize k = 0; k < G_N_ELEMENTS(types); k++) {
    const guint size = 4 * types[k].bits / 8;
    g_autofree char *right =
        g_strdup_printf("{\"a\":{\"dtype\":\"%s\",\"shape\":[4],\"data_offsets\":[0,%u]}}", types[k].name, size);
    g_autofree char *wrong =
        g_strdup_printf("{\"a\":{\"dtype\":\"%s\",\"shape\":[4],\"data_offsets\":[0,%u]}}", types[k].name, size + 1);
    accepts(state, right, size);
    refuses(state, wrong, size + 1, "tensor 'a'");
  }
}

static void parts_of_a_byte_are_an_error(void **state) {
  refuses(state, "{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2, "no whole number of bytes");
}

static void offsets_do_not_end_before_they_begin(void **state) {
  refuses(state, "{" U8("a", 0, 2, 2) "," U8("b", 2, 1, 0) "}", 2, "tensor 'b': data_offsets end before");
}

static void data_lie_within_the_file(void **state) {
  refuses(state, "{" U8("a", 0, 5, 5) "}", 4, "tensor 'a': its data end at byte 5");
  refuses(state, "{" U8("a", 0, 9223372036854775807, 9223372036854775807) "}", 4, "tensor 'a': its data end");
  refuses(state, "{" U8("a", 9223372036854775807, 9223372036854775807, 0) "}", 4, "tensor 'a': its data end");
}

static void shape_and_offsets_agree(void **state) {
  refuses(state, "{" U8("a", 0, 4, 3) "}", 4, "tensor 'a': its shape takes 3 bytes, its data_offsets 4");
  refuses(state, "{" U8("a", 0, 4, 5) "}", 4, "tensor 'a': its shape takes 5 bytes");
  refuses(state, "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,0]}}", 0, "tensor 'a'");
}

static void products_do_not_overflow(void **state) {
  const char *form = "{\"a\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[0,4]}}";
  const char *const shapes[] = {"4294967296,4294967296", "4611686018427387905", "9223372036854775807,3",
                                "2147483648,2147483648,4,1"};
  for (gsize k = 0; k < G_N_ELEMENTS(shapes); k++) {
    g_autoptr(GString) header = g_string_new(form);
    g_string_replace(header, "%s", shapes[k], 1);
    refuses(state, header->str, 4, "tensor 'a': its shape makes no whole number of bytes, or too many");
  }
}

static void there_is_no_hole(void **state) {
  refuses(state, "{" U8("a", 0, 2, 2) "," U8("b", 3, 4, 1) "}", 4, "tensor 'b': its data begin at byte 3");
  refuses(state, "{" U8("a", 1, 4, 3) "}", 4, "tensor 'a': its data begin at byte 1");
}

static void there_is_no_overlap(void **state) {
  refuses(state, "{" U8("a", 0, 3, 3) "," U8("b", 2, 4, 2) "}", 4, "tensor 'b': its data begin at byte 2");
  refuses(state, "{" U8("a", 0, 4, 4) "," U8("b", 1, 2, 1) "," U8("c", 2, 4, 2) "}", 4, "tensor 'b'");
  refuses(state, "{" U8("a", 0, 4, 4) "," U8("empty", 2, 2, 0) "}", 4, "tensor 'empty'");
}

static void there_is_no_alias(void **state) {
  refuses(state, "{" U8("a", 0, 4, 4) "," U8("b", 0, 4, 4) "}", 4, "tensor 'b': its data begin at byte 0");
}

static void nothing_follows_the_last_tensor(void **state) {
  refuses(state, "{" U8("a", 0, 4, 4) "}", 7, "3 bytes after the last tensor");
}

static void reads_scalars_and_empty_tensors(void **state) {
  GError *error = NULL;
  AUTO(safetensors) file = read_header(state,
                                       "{\"z\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                                       "\"a\":{\"dtype\":\"F32\",\"shape\":[3,0,2],\"data_offsets\":[4,4]},"
                                       "\"first\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
                                       "\"b\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[4,4]}}",
                                       4, &error);
  assert_non_null(file);
  const struct safetensor *scalar = safetensors_find(file, "z"), *empty = safetensors_find(file, "a");
  assert_int_equal(scalar->rank, 0);
  assert_int_equal(scalar->size, 4);
  assert_int_equal(empty->rank, 3);
  assert_int_equal(empty->shape[0], 3);
  assert_int_equal(empty->size, 0);
}

static void rank_is_limited(void **state) {
  accepts(state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,2],\"data_offsets\":[0,2]}}", 2);
  refuses(state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,2]}}", 2,
          "tensor 'a': has 9 dimensions");
}

static void what_is_no_file_is_an_error(void **state) {
  GError *error = NULL;
  g_autofree char *pipe = scratch_path(state, "pipe"), *missing = scratch_path(state, "missing");
  assert_int_equal(mkfifo(pipe, 0600), 0);
  assert_null(safetensors_read(pipe, &error)); /* and does not wait for a writer */
  assert_failed_with(&error, pipe, "not a regular file", NULL);
  assert_null(safetensors_read(*state, &error));
  assert_failed_with(&error, *state, "is a directory", NULL);
  assert_null(safetensors_read(missing, &error));
  assert_failed_with(&error, missing, "No such file", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(reads_names_types_shapes_data_and_metadata),
      SCRATCH_TEST(reads_a_file_without_tensors),
      SCRATCH_TEST(reads_white_space_round_the_header),
      SCRATCH_TEST(ignores_unknown_keys_of_an_entry),
      SCRATCH_TEST(needs_eight_bytes),
      SCRATCH_TEST(limits_the_header),
      SCRATCH_TEST(needs_the_whole_header),
      SCRATCH_TEST(header_is_one_json_object),
      SCRATCH_TEST(header_is_utf8),
      SCRATCH_TEST(deep_nesting_is_an_error),
      SCRATCH_TEST(duplicate_keys_are_named),
      SCRATCH_TEST(long_duplicate_keys_are_named),
      SCRATCH_TEST(metadata_are_strings),
      SCRATCH_TEST(entries_are_complete),
      SCRATCH_TEST(numbers_are_integers_from_zero_on),
      SCRATCH_TEST(unknown_types_are_named),
      SCRATCH_TEST(knows_the_size_of_every_type),
      SCRATCH_TEST(parts_of_a_byte_are_an_error),
      SCRATCH_TEST(offsets_do_not_end_before_they_begin),
      SCRATCH_TEST(data_lie_within_the_file),
      SCRATCH_TEST(shape_and_offsets_agree),
      SCRATCH_TEST(products_do_not_overflow),
      SCRATCH_TEST(there_is_no_hole),
      SCRATCH_TEST(there_is_no_overlap),
      SCRATCH_TEST(there_is_no_alias),
      SCRATCH_TEST(nothing_follows_the_last_tensor),
      SCRATCH_TEST(reads_scalars_and_empty_tensors),
      SCRATCH_TEST(rank_is_limited),
      SCRATCH_TEST(what_is_no_file_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
