/* SPDX-License-Identifier: MIT */
#include "plugin/places.h"

#include <string.h>

/* The folder above the one that holds the program. *built: it is a build tree, and the program in its host/. */
static char *home(gboolean *built) {
  g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
  if (!program) program = g_strdup("/"); /* as if it were there */
  g_autofree char *folder = g_path_get_dirname(program);
  g_autofree char *name = g_path_get_basename(folder);
  char *above = g_path_get_dirname(folder);
  g_autofree char *mark = g_build_filename(above, "meson-info", NULL);
  *built = !strcmp(name, "host") && g_file_test(mark, G_FILE_TEST_IS_DIR);
  return above;
}

static char *own_path(const char *in_build, const char *installed, const char *below) {
  gboolean built;
  g_autofree char *above = home(&built);
  if (built) return g_build_filename(above, in_build, NULL);
  return g_path_is_absolute(installed) ? g_build_filename(installed, below, NULL)
                                       : g_build_filename(above, installed, below, NULL);
}

static void add_given(GStrvBuilder *places, const char *const *folders) {
  for (; folders && *folders; folders++)
    if (**folders) g_strv_builder_add(places, *folders);
}

static void add_if_there(GStrvBuilder *places, const char *folder) {
  if (g_file_test(folder, G_FILE_TEST_IS_DIR)) g_strv_builder_add(places, folder);
}

char **places_plugins(const char *const *extra) {
  const char *variable = g_getenv("DOVETAIL_PLUGIN_PATH");
  g_auto(GStrv) path = g_strsplit(variable ? variable : "", ":", -1);
  g_autofree char *user = g_build_filename(g_get_user_data_dir(), "dovetail", "plugins", NULL);
  g_autofree char *own = own_path("plugins", DOVETAIL_LIBDIR, "dovetail/plugins");
  g_autoptr(GStrvBuilder) places = g_strv_builder_new();
  add_given(places, extra);
  add_given(places, (const char *const *)path);
  add_if_there(places, user);
  add_if_there(places, own);
  return g_strv_builder_end(places);
}

char *places_scanner(void) {
  const char *variable = g_getenv("DOVETAIL_SCAN");
  if (variable && *variable) return g_strdup(variable);
  return own_path("host/dovetail-scan", DOVETAIL_LIBEXECDIR, "dovetail/dovetail-scan");
}
