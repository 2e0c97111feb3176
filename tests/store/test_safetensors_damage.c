/* SPDX-License-Identifier: MIT */
/* A damaged file is an error or reads as something whole; under a sanitizer, nothing else happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/component.h"
#include "store_test.h"

static const char header[] = "{\"__metadata__\":{\"dovetail.kind\":\"head\",\"dovetail.input_shape\":\"[3,32,32]\","
                             "\"dovetail.mean\":\"[0.5]\",\"dovetail.deviation\":\"[0.25]\"},"
                             "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[8,32]},"
                             "\"b\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                             "\"c\":{\"dtype\":\"U8\",\"shape\":[0,7],\"data_offsets\":[32,32]},"
                             "\"d\":{\"dtype\":\"F16\",\"shape\":[1,1,4],\"data_offsets\":[32,40]}}  ";
enum { BUFFER = 40 };

/* Touches every byte that the file promises. */
static volatile guint sum;
static void use(const struct safetensors *file) {
  for (guint k = 0; k < file->tensors->len; k++) {
    const struct safetensor *tensor = g_ptr_array_index(file->tensors, k);
    for (gsize byte = 0; byte < tensor->size; byte++) sum += ((const guint8 *)tensor->data)[byte];
    assert_ptr_equal(safetensors_find(file, tensor->name), tensor);
    assert_true(tensor->rank <= SAFETENSORS_MAX_RANK);
  }
}

/* Whether it reads; an error must name the file. */
static gboolean reads(void **state, const GByteArray *bytes) {
  GError *error = NULL;
  g_autofree char *path = scratch_file(state, "file", bytes->data, bytes->len);
  AUTO(safetensors) file = safetensors_read(path, &error);
  if (!file) {
    assert_failed_with(&error, path, NULL);
    return FALSE;
  }
  use(file);
  struct component_info info;
  if (component_read_info(file, &info, &error))
    component_info_clear(&info);
  else
    assert_failed_with(&error, path, NULL);
  return TRUE;
}

static GByteArray *whole(void) { return scratch_safetensors(header, BUFFER); }

static void no_truncated_file_reads(void **state) {
  g_autoptr(GByteArray) bytes = whole();
  assert_true(reads(state, bytes));
  while (bytes->len) {
    g_byte_array_set_size(bytes, bytes->len - 1);
    assert_false(reads(state, bytes));
  }
}

static void no_lengthened_file_reads(void **state) {
  g_autoptr(GByteArray) bytes = whole();
  for (guint more = 0; more < 100; more++) {
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    assert_false(reads(state, bytes));
  }
}

static void no_other_header_length_reads(void **state) {
  for (guint bit = 0; bit < 64; bit++) {
    g_autoptr(GByteArray) bytes = whole();
    bytes->data[bit / 8] ^= (guint8)(1 << bit % 8);
    assert_false(reads(state, bytes));
  }
}

/* Bytes that JSON is made of, more often than others. */
static guint8 random_byte(GRand *random) {
  static const char json[] = "{}[]\",:\\-+.eE0123456789 unlltrue";
  return g_rand_boolean(random) ? (guint8)json[g_rand_int_range(random, 0, sizeof json - 1)]
                                : (guint8)g_rand_int_range(random, 0, 256);
}

static void damage(GByteArray *bytes, GRand *random) {
  const guint at = (guint)g_rand_int_range(random, 0, (gint32)bytes->len);
  switch (g_rand_int_range(random, 0, 8)) {
  case 0: /* drop some */
    g_byte_array_remove_range(bytes, at, (guint)g_rand_int_range(random, 0, (gint32)MIN(bytes->len - at, 16)));
    break;
  case 1: /* copy some to where they do not belong */
    memmove(bytes->data + at, bytes->data + bytes->len / 2, MIN(bytes->len - at, bytes->len / 4));
    break;
  default: bytes->data[at] = random_byte(random);
  }
}

static void thousands_of_damaged_files(void **state) {
  g_autoptr(GRand) random = g_rand_new_with_seed(20);
  guint read = 0;
  const guint count = 20000;
  for (guint k = 0; k < count; k++) {
    g_autoptr(GByteArray) bytes = whole();
    for (gint32 times = g_rand_int_range(random, 1, 5); times > 0; times--) damage(bytes, random);
    read += (guint)reads(state, bytes);
  }
  assert_in_range(read, count / 100, count / 2); /* both ends of the reader are reached */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(no_truncated_file_reads),
      SCRATCH_TEST(no_lengthened_file_reads),
      SCRATCH_TEST(no_other_header_length_reads),
      SCRATCH_TEST(thousands_of_damaged_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
