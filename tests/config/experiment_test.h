/* SPDX-License-Identifier: MIT */
/** An experiment from a text, by way of a temporary file. */
#ifndef EXPERIMENT_TEST_H
#define EXPERIMENT_TEST_H

#include "config_test.h"

#include <stdio.h>

#include "config/experiment.h"

/** A folder of its own for each test, with room for one experiment. */
struct scratch {
  char *folder, *path;
};

static inline int scratch_setup(void **state) {
  struct scratch *scratch = g_new(struct scratch, 1);
  scratch->folder = g_dir_make_tmp("dovetail-XXXXXX", NULL);
  scratch->path = g_build_filename(scratch->folder, "e.yaml", NULL);
  *state = scratch;
  return 0;
}

static inline int scratch_teardown(void **state) {
  struct scratch *scratch = *state;
  g_unlink(scratch->path);
  const int left = g_rmdir(scratch->folder);
  g_free(scratch->folder);
  g_free(scratch->path);
  g_free(scratch);
  return left;
}

static inline struct experiment *read_experiment(const struct scratch *scratch, const char *text, gsize length,
                                                 const char *const *sets, GError **error) {
  /* Neither g_file_set_contents nor a file cut to nothing: both wait for the disk, here thousands of times. */
  g_unlink(scratch->path);
  FILE *file = fopen(scratch->path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
  return experiment_read(scratch->path, sets, error);
}

/** Reads an experiment that must be right. */
static inline struct experiment *read_good(const struct scratch *scratch, const char *text, const char *const *sets) {
  GError *error = NULL;
  struct experiment *experiment = read_experiment(scratch, text, strlen(text), sets, &error);
  if (error) fail_msg("%s", error->message);
  return experiment;
}

/** The text of good.yaml. The caller frees it. */
static inline char *good_text(void) {
  char *text;
  assert_true(g_file_get_contents(GOOD_EXPERIMENT, &text, NULL, NULL));
  return text;
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

#endif
