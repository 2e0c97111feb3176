/* SPDX-License-Identifier: MIT */
#include "store_test.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

GByteArray *scratch_safetensors(const char *header, gsize size) {
  const guint64 length = GUINT64_TO_LE(strlen(header));
  GByteArray *bytes = g_byte_array_new();
  g_byte_array_append(bytes, (const guint8 *)&length, sizeof length);
  g_byte_array_append(bytes, (const guint8 *)header, (guint)strlen(header));
  for (gsize k = 0; k < size; k++) g_byte_array_append(bytes, &(guint8){(guint8)k}, 1);
  return bytes;
}

void limit_file_size(rlim_t bytes) {
  struct rlimit limit;
  signal(SIGXFSZ, SIG_IGN); /* so that write fails instead */
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = MIN(bytes, limit.rlim_max);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

void assert_failed_with(GError **error, ...) {
  va_list words;
  assert_non_null(*error);
  assert_true((*error)->domain == DOVETAIL_ERROR);
  assert_int_equal((*error)->code, DOVETAIL_FAILED);
  va_start(words, error);
  for (const char *word; (word = va_arg(words, const char *));)
    if (!strstr((*error)->message, word)) fail_msg("'%s' is not in: %s", word, (*error)->message);
  va_end(words);
  g_clear_error(error);
}

void assert_file_equal(const char *path, const char *text) {
  g_autofree char *found = NULL;
  assert_true(g_file_get_contents(path, &found, NULL, NULL));
  assert_string_equal(found, text);
}
