/* SPDX-License-Identifier: MIT */
/** An experiment from a text, by way of a temporary file. */
#ifndef EXPERIMENT_TEST_H
#define EXPERIMENT_TEST_H

#include "config_test.h"

#include "config/experiment.h"
#include "scratch.h"

/** Where read_experiment writes the text, in the folder of a SCRATCH_TEST. The caller frees it. */
static inline char *experiment_path(void **state) { return scratch_path(state, "e.yaml"); }

static inline struct experiment *read_experiment(void **state, const char *text, gsize length, const char *const *sets,
                                                 GError **error) {
  g_autofree char *path = scratch_file(state, "e.yaml", text, length);
  return experiment_read(path, sets, error);
}

/** Reads an experiment that must be right. */
static inline struct experiment *read_good(void **state, const char *text, const char *const *sets) {
  GError *error = NULL;
  struct experiment *experiment = read_experiment(state, text, strlen(text), sets, &error);
  if (error) fail_msg("%s", error->message);
  return experiment;
}

/** The text of good.yaml. The caller frees it. */
static inline char *good_text(void) {
  char *text;
  assert_true(g_file_get_contents(GOOD_EXPERIMENT, &text, NULL, NULL));
  return text;
}

#endif
