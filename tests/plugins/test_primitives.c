/* SPDX-License-Identifier: MIT */
/*
 * Which primitives oneDNN runs, as its own log says: this program runs itself with that log on. No reference kernel;
 * feature maps change their layout at the borders of components alone, once for each direction; batch norm, ReLU and
 * sums are not left to oneDNN.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "pair.h"

enum { BATCH = 6, IMAGE = 3 * 32 * 32, LARGEST_WEIGHT = 64 * 64 * 3 * 3 };

static void run_pair(const char *shortcut, const char *head, const char *mode) {
  const struct pair_config config = {.depth = 8, .width = 16, .shortcut = shortcut, .split = "layer2", .head = head};
  const gint32 labels[BATCH] = {0};
  const gboolean training = !strcmp(mode, "training");
  AUTO(pair) pair = pair_new(&config);
  float *images = memory_floats(BATCH * IMAGE, NULL);
  pair_initialise(pair);
  pair_make_passes(pair, training ? DVT_PASS_BACKWARD | DVT_PASS_BATCH_STATISTICS : 0, BATCH, 1);
  pair_forward(pair, BATCH, images);
  if (training) pair_backward(pair, BATCH, labels);
  free(images);
}

/* What oneDNN logs while a pair runs once: lines of fields. Freed with g_ptr_array_unref. */
static GPtrArray *logged(const char *shortcut, const char *head, const char *mode) {
  char *const arguments[] = {(char *)"/proc/self/exe", (char *)shortcut, (char *)head, (char *)mode, NULL};
  g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "DNNL_VERBOSE", "1", TRUE);
  g_autofree char *out = NULL;
  int status = 0;
  GError *error = NULL;
  if (!g_spawn_sync(NULL, (char **)arguments, environment, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL, &status, &error) ||
      !g_spawn_check_wait_status(status, &error))
    fail_msg("%s", error->message);
  GPtrArray *lines = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
  g_auto(GStrv) all = g_strsplit(out, "\n", -1);
  for (guint k = 0; all[k]; k++)
    if (g_str_has_prefix(all[k], "onednn_verbose,exec,")) g_ptr_array_add(lines, g_strsplit(all[k], ",", -1));
  return lines;
}

enum { KIND = 3, IMPLEMENTATION, DIRECTION, FIELDS = 10 }; /* of a line; the shape is last but one */

static const char *shape_of(char **fields) { return fields[g_strv_length(fields) - 2]; }

static gint64 elements(const char *shape) {
  g_auto(GStrv) dims = g_strsplit(shape, "x", -1);
  gint64 count = 1;
  for (guint k = 0; dims[k]; k++) count *= g_ascii_strtoll(dims[k], NULL, 10);
  return count;
}

/* Feature maps are [BATCH, C, H, W]; no weight here has BATCH rows. */
static gboolean is_map(const char *shape) {
  return g_str_has_prefix(shape, "6x") && g_strrstr(shape + 2, "x") != strchr(shape + 2, 'x');
}

/* How often a pair changes layouts. */
struct reorders {
  guint images, features;
};

static void count_reorder(struct reorders *reorders, const char *shape) {
  if (!strcmp(shape, "6x3x32x32"))
    reorders->images++;
  else if (!strcmp(shape, "6x32x16x16"))
    reorders->features++;
  else if (is_map(shape) || elements(shape) > LARGEST_WEIGHT)
    fail_msg("reorder of %s", shape);
}

/* Batch norm, ReLU and the sum of a residual block are one loop of ours, not oneDNN's three. */
static void check_fusion(GPtrArray *lines) {
  static const char *const fused[] = {"batch_normalization", "eltwise", "binary", NULL};
  for (guint k = 0; k < lines->len; k++) {
    char **fields = g_ptr_array_index(lines, k);
    if (g_strv_contains(fused, fields[KIND]))
      fail_msg("%s %s of its own: %s", fields[KIND], fields[DIRECTION], shape_of(fields));
  }
}

/*
 * Kernels for AVX2 read the image as it comes; those that AVX-512 has for inference want channels last in every map, so
 * there the image is copied too. Without blocked layouts (processors older than AVX2) there are fewer.
 */
static void check_reorders(GPtrArray *lines, guint borders) {
  struct reorders reorders = {0};
  for (guint k = 0; k < lines->len; k++) {
    char **fields = g_ptr_array_index(lines, k);
    if (!strcmp(fields[KIND], "reorder")) count_reorder(&reorders, shape_of(fields));
  }
  if (reorders.images > 1) fail_msg("images change their layout %u times, expected at most 1", reorders.images);
  if (reorders.features < 1 || reorders.features > borders)
    fail_msg("features change their layout %u times, expected 1 to %u", reorders.features, borders);
}

static void check_kernels(GPtrArray *lines) {
  assert_true(lines->len > 10);
  for (guint k = 0; k < lines->len; k++) {
    char **fields = g_ptr_array_index(lines, k);
    assert_true(g_strv_length(fields) >= FIELDS);
    if (g_str_has_prefix(fields[IMPLEMENTATION], "ref")) fail_msg("%s by %s", fields[KIND], fields[IMPLEMENTATION]);
  }
}

static void check_pair(const char *shortcut, const char *head, const char *mode, guint borders) {
  g_autoptr(GPtrArray) lines = logged(shortcut, head, mode);
  check_kernels(lines);
  check_reorders(lines, borders);
  check_fusion(lines);
}

/* Features leave the extractor and enter the head; in training their gradient goes back the same way. */
static void training_keeps_its_layouts(void **state) {
  (void)state;
  check_pair("projection", "resnet-tail", "training", 4);
  check_pair("identity", "resnet-tail", "training", 4);
}

static void evaluation_keeps_its_layouts(void **state) {
  (void)state;
  check_pair("projection", "resnet-tail", "evaluation", 2);
  check_pair("identity", "resnet-tail", "evaluation", 2);
}

/* A mean takes dense features as they are; their gradient is copied to where the host wants it. */
static void linear_head_has_fast_primitives(void **state) {
  (void)state;
  check_pair("projection", "linear", "training", 3);
  check_pair("projection", "linear", "evaluation", 1);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(training_keeps_its_layouts),
      cmocka_unit_test(evaluation_keeps_its_layouts),
      cmocka_unit_test(linear_head_has_fast_primitives),
  };
  if (argc < 4) return cmocka_run_group_tests(tests, NULL, NULL);
  run_pair(argv[1], argv[2], argv[3]);
  return 0;
}
