/* SPDX-License-Identifier: MIT */
/* Who may write to files and folders. What else a search does, test_registry.c shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/search.h"
#include "scratch.h"

/* What a search of the scratch folder tells, in its order: "PATH" or "PATH: REASON", below the folder. */
struct told {
  const char *folder;
  GString *lines;
};

static const char *below(const struct told *told, const char *path) {
  return g_str_has_prefix(path, told->folder) ? path + strlen(told->folder) : path;
}

static void tell_file(gpointer data, const char *path) {
  struct told *told = data;
  g_string_append_printf(told->lines, "%s\n", below(told, path));
}

static void tell_refusal(gpointer data, const char *path, const char *reason) {
  struct told *told = data;
  g_string_append_printf(told->lines, "%s: %s\n", below(told, path), reason);
}

static void expect(void **state, const char *expected) {
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  struct told told = {*state, g_string_new(NULL)};
  const struct search search = {seen, tell_file, tell_refusal, &told, &told};
  search_folder(&search, *state);
  g_autoptr(GString) wanted = g_string_new(expected);
  g_string_replace(wanted, "FOLDER", *state, 0);
  assert_string_equal(told.lines->str, wanted->str);
  g_string_free(told.lines, TRUE);
}

static void file_at(void **state, const char *name, int mode) {
  g_autofree char *path = scratch_file(state, name, "", 0);
  assert_int_equal(g_chmod(path, mode), 0);
}

static void folder_at(void **state, const char *name, int mode) {
  g_autofree char *path = scratch_path(state, name);
  assert_int_equal(g_mkdir(path, 0700), 0);
  assert_int_equal(g_chmod(path, mode), 0);
}

static void files_that_others_may_write_are_refused(void **state) {
  file_at(state, "a.so", 0644);
  file_at(state, "b.so", 0664);
  file_at(state, "c.so", 0646);
  file_at(state, "d.so", 0666);
  expect(state, "/a.so\n"
                "/b.so: its group may write to it; chmod g-w 'FOLDER/b.so'\n"
                "/c.so: everybody may write to it; chmod o-w 'FOLDER/c.so'\n"
                "/d.so: everybody may write to it; chmod go-w 'FOLDER/d.so'\n");
}

static void folders_that_others_may_write_are_refused(void **state) {
  folder_at(state, "a", 0755);
  file_at(state, "a/x.so", 0644);
  folder_at(state, "b", 0775);
  file_at(state, "b/x.so", 0644);
  folder_at(state, "c", 01777); /* as /tmp: others cannot exchange a file, but add one */
  file_at(state, "c/x.so", 0644);
  expect(state,
         "/a/x.so\n"
         "/b: nothing in this folder is loaded: its group may write to it; chmod g-w 'FOLDER/b'\n"
         "/c: nothing in this folder is loaded: everybody may add files to it, as to /tmp; take a folder below it\n");
}

static void it_counts_where_links_lead(void **state) {
  folder_at(state, "good", 0755);
  folder_at(state, "open", 0777);
  file_at(state, "open/x.txt", 0644);
  file_at(state, "x.txt", 0666);
  g_autofree char *a = scratch_path(state, "good/a.so"), *b = scratch_path(state, "good/b.so");
  assert_int_equal(symlink("../open/x.txt", a), 0);
  assert_int_equal(symlink("../x.txt", b), 0);
  expect(state, "/good/a.so: its folder FOLDER/open is not safe: everybody may write to it; chmod go-w 'FOLDER/open'\n"
                "/good/b.so: everybody may write to it; chmod go-w 'FOLDER/x.txt'\n"
                "/open: nothing in this folder is loaded: everybody may write to it; chmod go-w 'FOLDER/open'\n");
}

static void folders_above_do_not_count(void **state) {
  g_autofree char *inner = scratch_path(state, "open/inner");
  folder_at(state, "open", 0777);
  folder_at(state, "open/inner", 0755);
  file_at(state, "open/inner/x.so", 0644);
  expect((void **)&inner, "/x.so\n");
}

static void what_belongs_to_others_is_refused(void **state) {
  if (geteuid() != 0) return; /* only root can give something away */
  file_at(state, "a.so", 0644);
  folder_at(state, "b", 0755);
  g_autofree char *file = scratch_path(state, "a.so"), *folder = scratch_path(state, "b");
  assert_int_equal(chown(file, 4711, 0), 0);
  assert_int_equal(chown(folder, 4711, 0), 0);
  expect(state, "/a.so: it belongs to user 4711, neither to root nor to you (0)\n"
                "/b: nothing in this folder is loaded: it belongs to user 4711, neither to root nor to you (0)\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(files_that_others_may_write_are_refused),
      SCRATCH_TEST(folders_that_others_may_write_are_refused),
      SCRATCH_TEST(it_counts_where_links_lead),
      SCRATCH_TEST(folders_above_do_not_count),
      SCRATCH_TEST(what_belongs_to_others_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
