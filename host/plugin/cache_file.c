/* SPDX-License-Identifier: MIT */
#include "plugin/cache_file.h"

#include <glib.h>
#include <stdlib.h>

char *cache_file_path(const char *name) { return g_build_filename(g_get_user_cache_dir(), "dovetail", name, NULL); }

json_t *cache_file_read(const char *path) {
  const gboolean is_file = g_file_test(path, G_FILE_TEST_IS_REGULAR);
  return is_file ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

void cache_file_write(const char *path, const json_t *content, size_t layout, const char *failure) {
  g_autofree char *folder = g_path_get_dirname(path);
  g_autoptr(GError) error = NULL;
  char *text = json_dumps(content, layout);
  if (!text) return; /* no memory */
  g_mkdir_with_parents(folder, 0700);
  if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
    g_log("dovetail", G_LOG_LEVEL_DEBUG, "%s: %s", failure, error->message);
  free(text);
}
