/* SPDX-License-Identifier: MIT */
/** What the tests of config/ share. */
#ifndef CONFIG_TEST_H
#define CONFIG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "config/yaml.h"

/** Asserts that *error is DOVETAIL_WRONG with this message, and clears it. */
static inline void expect_error(GError **error, const char *message) {
  assert_non_null(*error);
  assert_string_equal((*error)->message, message);
  assert_int_equal((*error)->code, DOVETAIL_WRONG);
  g_clear_error(error);
}

/** Reads a text that must be right; its name is "t.yaml". */
static inline struct yaml_tree *read_right(const char *text) {
  GError *error = NULL;
  struct yaml_tree *tree = yaml_read_text("t.yaml", text, strlen(text), &error);
  if (error) fail_msg("%s", error->message);
  return tree;
}

/** Asserts that a text named "t.yaml" is refused with this message. */
static inline void expect_refused(const char *text, gsize length, const char *message) {
  GError *error = NULL;
  assert_null(yaml_read_text("t.yaml", text, length, &error));
  expect_error(&error, message);
}

#define EXPECT_REFUSED(text, message) expect_refused(text, strlen(text), message)

#endif
