/* SPDX-License-Identifier: MIT */
/* A process that rewrites a component again and again is killed at random moments: the file is always whole. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/component.h"
#include "store_test.h"

enum { ELEMENTS = 50000, KILLS = 60, LONGEST_LIFE = 20000 /* microseconds */ };

/* Every element, and the metadata, say which writing this is. */
static gboolean write_generation(const char *path, guint generation) {
  g_autofree guint32 *values = g_new(guint32, ELEMENTS);
  for (guint k = 0; k < ELEMENTS; k++) values[k] = generation;
  g_autofree char *text = g_strdup_printf("%u", generation);
  const struct component_info info = {.kind = text, .own_accuracy = 0.5};
  const struct safetensor tensor = {"values", "U32", 1, {ELEMENTS}, values, ELEMENTS * sizeof *values};
  return component_write(path, &info, &tensor, 1, NULL);
}

static guint read_generation(const char *path) {
  GError *error = NULL;
  AUTO(safetensors) file = safetensors_read(path, &error);
  if (!file) fail_msg("%s", error->message);
  struct component_info info;
  assert_true(component_read_info(file, &info, &error));
  const guint generation = (guint)g_ascii_strtoull(info.kind, NULL, 10);
  component_info_clear(&info);
  const struct safetensor *tensor = safetensors_find(file, "values");
  const guint32 *values = tensor->data; /* aligned: the header is padded */
  for (guint k = 0; k < ELEMENTS; k++) assert_int_equal(values[k], generation);
  return generation;
}

/* Writes generation, says so, and goes on with the next ones until it is killed. */
static pid_t start_writer(const char *path, guint generation, int *said) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  const pid_t writer = fork();
  assert_true(writer >= 0);
  if (!writer) {
    while (write_generation(path, generation++))
      if (write(ends[1], "", 1) != 1) break;
    _exit(1);
  }
  close(ends[1]);
  *said = ends[0];
  return writer;
}

static void a_killed_writer_leaves_a_whole_file(void **state) {
  g_autofree char *path = scratch_path(state, "component.safetensors");
  g_autoptr(GRand) random = g_rand_new_with_seed(3);
  guint last = 1;
  for (guint kill_number = 0; kill_number < KILLS; kill_number++) {
    int said, status;
    char byte;
    const pid_t writer = start_writer(path, last + 1, &said);
    assert_int_equal(read(said, &byte, 1), 1);
    g_usleep((gulong)g_rand_int_range(random, 0, LONGEST_LIFE));
    assert_int_equal(kill(writer, SIGKILL), 0);
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_true(WIFSIGNALED(status));
    guint acknowledged = last + 1;
    while (read(said, &byte, 1) == 1) acknowledged++;
    close(said);
    const guint found = read_generation(path);
    assert_in_range(found, acknowledged, acknowledged + 1); /* what was reported as written is there */
    last = found;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(a_killed_writer_leaves_a_whole_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
