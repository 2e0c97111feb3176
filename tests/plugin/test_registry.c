/* SPDX-License-Identifier: MIT */
/* On the plugins of broken/, whose folder is in BROKEN_PLUGINS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/registry.h"
#include "scratch.h"

static char *broken(const char *file) { return g_build_filename(g_getenv("BROKEN_PLUGINS"), file, NULL); }

static const struct registry_refusal *refusal_of(const struct registry *registry, const char *file) {
  const GPtrArray *refusals = registry_refusals(registry);
  for (guint k = 0; k < refusals->len; k++) {
    const struct registry_refusal *refusal = g_ptr_array_index(refusals, k);
    g_autofree char *name = g_path_get_basename(refusal->path);
    if (!strcmp(name, file)) return refusal;
  }
  fail_msg("%s was not refused", file);
  return NULL;
}

static void each_broken_plugin_is_refused_with_its_reason(void **state) {
  (void)state;
  static const struct {
    const char *file, *reason;
  } expected[] = {
      {"abi-major-2.so", "built for plugin ABI 2, this host speaks 1"},
      {"abi-minor-too-new.so", "needs plugin ABI 1.2, this host speaks 1.1"},
      {"abort.so", "crashed while it was loaded: signal 6 (Aborted)"},
      {"crash.so", "crashed while it was loaded: signal 11 (Segmentation fault)"},
      {"cyclic-next.so", "plugin 257 of its list: the list does not end"},
      {"duplicate-parameter.so", "parameter 'count' is declared twice"},
      {"exit.so", "exited with status 3 while it was loaded"},
      {"function-symbol.so", "no Dovetail plugin: its symbol 'dovetail_plugin' is no descriptor"},
      {"no-symbol.so", "no Dovetail plugin: undefined symbol: dovetail_plugin"},
      {"null-entry.so", "the entry 'read' of its operations table is NULL"},
      {"null-name.so", "it has no name"},
      {"null-ops.so", "its operations table is NULL"},
      {"print.so", "it prints while it is loaded; a plugin prints nothing"},
      {"short-symbol.so", "no Dovetail plugin: its symbol 'dovetail_plugin' is no descriptor"},
      {"wrong-magic.so", "no Dovetail plugin: its magic number is 0xdeadbeef, not 0x4c545644"},
      {"wrong-struct-size.so", "struct_size is 16; in plugin ABI 1.0 it is 96"},
  };
  AUTO(registry) registry = registry_new();
  registry_scan(registry, g_getenv("BROKEN_PLUGINS"));
  for (gsize k = 0; k < G_N_ELEMENTS(expected); k++)
    assert_string_equal(refusal_of(registry, expected[k].file)->reason, expected[k].reason);
  g_autofree char *good = broken("good.so");
  g_autofree char *real = realpath(good, NULL);
  g_autofree char *same = g_strdup_printf("name of another plugin: dataset 'good' was found in %s before", real);
  assert_string_equal(refusal_of(registry, "same-name.so")->reason, same);
  assert_int_equal(registry_refusals(registry)->len, G_N_ELEMENTS(expected) + 1);
  assert_int_equal(registry_plugins(registry)->len, 1);
}

static void refusals_are_sorted_by_path(void **state) {
  (void)state;
  AUTO(registry) registry = registry_new();
  registry_scan(registry, g_getenv("BROKEN_PLUGINS"));
  const GPtrArray *refusals = registry_refusals(registry);
  for (guint k = 1; k < refusals->len; k++) {
    const struct registry_refusal *refusal = g_ptr_array_index(refusals, k), *before = refusals->pdata[k - 1];
    assert_true(strcmp(before->path, refusal->path) < 0);
  }
}

static void link_at(void **state, const char *target, const char *name) {
  g_autofree char *path = scratch_path(state, name);
  assert_int_equal(symlink(target, path), 0);
}

static void folder_at(void **state, const char *name) {
  g_autofree char *path = scratch_path(state, name);
  assert_int_equal(g_mkdir(path, 0700), 0);
}

static void text_at(void **state, const char *name, const char *text) {
  g_autofree char *path = scratch_path(state, name);
  assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void what_is_no_library_is_refused(void **state) {
  g_autofree char *pipe = scratch_path(state, "pipe.so");
  text_at(state, "text.so", "This is a text, and no short one: the loader reads 64 bytes or more before it judges.");
  text_at(state, "empty.so", "");
  text_at(state, "notes.txt", "no plugin and not meant to be one");
  link_at(state, "nowhere", "dangling.so");
  assert_int_equal(mkfifo(pipe, 0600), 0);
  AUTO(registry) registry = registry_new();
  registry_scan(registry, *state);
  assert_string_equal(refusal_of(registry, "text.so")->reason, "cannot be loaded: invalid ELF header");
  assert_string_equal(refusal_of(registry, "empty.so")->reason, "cannot be loaded: file too short");
  assert_string_equal(refusal_of(registry, "dangling.so")->reason, "a link to no file");
  assert_string_equal(refusal_of(registry, "pipe.so")->reason, "no regular file");
  assert_int_equal(registry_refusals(registry)->len, 4);
}

static void folders_below_are_scanned_but_mesons_own(void **state) {
  g_autofree char *good = broken("good.so");
  folder_at(state, "a");
  folder_at(state, "a/b.so");
  folder_at(state, "good.so.p");
  link_at(state, good, "a/b.so/deep.so");
  link_at(state, "nowhere", "good.so.p/private.so");
  AUTO(registry) registry = registry_new();
  registry_scan(registry, *state);
  assert_int_equal(registry_refusals(registry)->len, 0);
  assert_int_equal(registry_plugins(registry)->len, 1);
  const struct registry_plugin *plugin = g_ptr_array_index(registry_plugins(registry), 0);
  g_autofree char *path = scratch_path(state, "a/b.so/deep.so");
  assert_string_equal(plugin->path, path);
  assert_string_equal(plugin->name, "good");
}

static void links_in_a_circle_end(void **state) {
  folder_at(state, "a");
  link_at(state, "..", "a/up");
  link_at(state, ".", "a/here");
  link_at(state, "nowhere", "a/dangling.so");
  AUTO(registry) registry = registry_new();
  registry_scan(registry, *state);
  assert_int_equal(registry_refusals(registry)->len, 1);
}

static void one_file_found_twice_is_one_plugin(void **state) {
  g_autofree char *good = broken("good.so");
  link_at(state, good, "first.so");
  link_at(state, good, "second.so");
  AUTO(registry) registry = registry_new();
  registry_scan(registry, *state);
  registry_scan(registry, *state);
  assert_int_equal(registry_plugins(registry)->len, 1);
  assert_int_equal(registry_refusals(registry)->len, 0);
}

static void a_missing_folder_is_told(void **state) {
  g_autofree char *missing = scratch_path(state, "missing");
  AUTO(registry) registry = registry_new();
  registry_scan(registry, missing);
  g_autofree char *reason = g_strdup_printf("cannot be searched: %s", g_strerror(ENOENT));
  assert_string_equal(refusal_of(registry, "missing")->reason, reason);
}

static void plugins_are_found_by_kind_and_name(void **state) {
  (void)state;
  AUTO(registry) registry = registry_new();
  registry_scan(registry, g_getenv("BROKEN_PLUGINS"));
  g_autoptr(GError) error = NULL;
  assert_null(((struct registry_plugin *)registry_plugins(registry)->pdata[0])->descriptor);
  const struct registry_plugin *plugin =
      registry_find(registry, DVT_KIND_DATASET, "good", (struct mark){NULL, 0, 0}, &error);
  assert_non_null(plugin);
  assert_string_equal(plugin->descriptor->name, "good");
}

static void expect_unknown(const struct registry *registry, enum dvt_kind kind, const char *name,
                           const char *expected) {
  g_autoptr(GError) error = NULL;
  assert_null(registry_find(registry, kind, name, (struct mark){"e.yaml", 3, 7}, &error));
  assert_true(g_error_matches(error, DOVETAIL_ERROR, DOVETAIL_WRONG));
  assert_string_equal(error->message, expected);
}

static void expect_gone(void **state, const char *name, const char *changed, const char *reason) {
  g_autofree char *good = broken("good.so"), *path = scratch_copy(state, good, name);
  AUTO(registry) registry = registry_new();
  registry_scan(registry, *state);
  assert_int_equal(registry_plugins(registry)->len, 1);
  g_free(scratch_copy(state, changed, name));
  g_autofree char *expected =
      g_strdup_printf("e.yaml:3:7: dataset 'good' 1.0.0 was found in %s, but is there no longer: %s", path, reason);
  expect_unknown(registry, DVT_KIND_DATASET, "good", expected);
  g_unlink(path);
}

static void a_file_that_changed_after_the_scan_is_told(void **state) {
  g_autofree char *no_symbol = broken("no-symbol.so");
  g_autofree char *other = g_build_filename(g_getenv("LOADING_PLUGINS"), "counted.so", NULL);
  expect_gone(state, "a.so", no_symbol, "no Dovetail plugin: undefined symbol: dovetail_plugin");
  expect_gone(state, "b.so", other, "the file has other plugins now");
}

static void an_unknown_name_gets_a_hint(void **state) {
  (void)state;
  AUTO(registry) registry = registry_new();
  registry_scan(registry, g_getenv("BROKEN_PLUGINS"));
  expect_unknown(registry, DVT_KIND_DATASET, "god", "e.yaml:3:7: unknown dataset 'god'; did you mean 'good'?");
  expect_unknown(registry, DVT_KIND_DATASET, "other", "e.yaml:3:7: unknown dataset 'other'; known: good");
  expect_unknown(registry, DVT_KIND_HEAD, "good", "e.yaml:3:7: unknown head 'good'; no plugin of this kind was found");
}

static void a_refused_name_gets_the_reason(void **state) {
  (void)state;
  AUTO(registry) registry = registry_new();
  registry_scan(registry, g_getenv("BROKEN_PLUGINS"));
  g_autofree char *path = broken("null-ops.so");
  g_autofree char *real = realpath(path, NULL);
  g_autofree char *expected =
      g_strdup_printf("e.yaml:3:7: no aligner 'null-ops': %s was refused: its operations table is NULL", real);
  expect_unknown(registry, DVT_KIND_ALIGNER, "null-ops", expected);
}

static void a_name_in_a_refused_folder_gets_the_reason(void **state) {
  g_autofree char *good = broken("good.so"), *open = scratch_path(state, "open");
  assert_int_equal(g_mkdir(open, 0700), 0);
  g_free(scratch_copy(state, good, "open/mine.so"));
  assert_int_equal(g_chmod(open, 0770), 0);
  AUTO(registry) registry = registry_new();
  registry_scan(registry, *state);
  g_autofree char *expected =
      g_strdup_printf("e.yaml:3:7: no dataset 'mine': %s was refused: nothing in this folder is loaded: its group may "
                      "write to it; chmod g-w '%s'",
                      open, open);
  expect_unknown(registry, DVT_KIND_DATASET, "mine", expected);
  expect_unknown(registry, DVT_KIND_DATASET, "min",
                 "e.yaml:3:7: unknown dataset 'min'; no plugin of this kind was found");
}

/* The folder given comes before that of the environment, and that before the user's. */
static void default_folders_are_scanned_in_order(void **state) {
  g_autofree char *good = broken("good.so"), *same = broken("same-name.so"), *null = broken("null-ops.so");
  folder_at(state, "given");
  folder_at(state, "environment");
  folder_at(state, "data");
  folder_at(state, "data/dovetail");
  folder_at(state, "data/dovetail/plugins");
  link_at(state, same, "given/x.so");
  link_at(state, good, "environment/x.so");
  link_at(state, null, "data/dovetail/plugins/x.so");
  g_autofree char *given = scratch_path(state, "given"), *environment = scratch_path(state, "environment");
  g_autofree char *data = scratch_path(state, "data"), *path = g_strdup_printf("::%s:", environment);
  g_setenv("XDG_DATA_HOME", data, TRUE); /* GLib reads it once: no test before may have asked for it */
  g_setenv("DOVETAIL_PLUGIN_PATH", path, TRUE);
  AUTO(registry) registry = registry_new();
  registry_scan_default(registry, (const char *const[]){given, NULL});
  g_unsetenv("DOVETAIL_PLUGIN_PATH");

  g_autofree char *first = scratch_path(state, "given/x.so"), *second = scratch_path(state, "environment/x.so");
  g_autofree char *third = scratch_path(state, "data/dovetail/plugins/x.so");
  assert_int_equal(registry_plugins(registry)->len, 1);
  assert_string_equal(((struct registry_plugin *)registry_plugins(registry)->pdata[0])->path, first);
  assert_int_equal(registry_refusals(registry)->len, 2);
  assert_string_equal(((struct registry_refusal *)registry_refusals(registry)->pdata[0])->path, third);
  assert_string_equal(((struct registry_refusal *)registry_refusals(registry)->pdata[1])->path, second);
}

/* Nobody else's cache. */
static int own_cache(void **state) { return scratch_setup(state) || !g_setenv("XDG_CACHE_HOME", *state, TRUE); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_broken_plugin_is_refused_with_its_reason),
      cmocka_unit_test(refusals_are_sorted_by_path),
      SCRATCH_TEST(what_is_no_library_is_refused),
      SCRATCH_TEST(folders_below_are_scanned_but_mesons_own),
      SCRATCH_TEST(links_in_a_circle_end),
      SCRATCH_TEST(one_file_found_twice_is_one_plugin),
      SCRATCH_TEST(a_missing_folder_is_told),
      cmocka_unit_test(plugins_are_found_by_kind_and_name),
      SCRATCH_TEST(a_file_that_changed_after_the_scan_is_told),
      cmocka_unit_test(an_unknown_name_gets_a_hint),
      cmocka_unit_test(a_refused_name_gets_the_reason),
      SCRATCH_TEST(a_name_in_a_refused_folder_gets_the_reason),
      SCRATCH_TEST(default_folders_are_scanned_in_order),
  };
  return cmocka_run_group_tests(tests, own_cache, scratch_teardown);
}
