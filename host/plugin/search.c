/* SPDX-License-Identifier: MIT */
#include "plugin/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/load.h"
#include "plugin/trust.h"

static void refuse(const struct search *search, const char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void refuse(const struct search *search, const char *path, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *reason = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  search->refuse(search->refuse_data, path, reason);
}

static void meet_file(const struct search *search, const char *path) {
  const char *file_fault = plugin_file_fault(path);
  if (file_fault) {
    refuse(search, path, "%s", file_fault);
    return;
  }
  g_autofree char *real = realpath(path, NULL);
  if (!real || !g_hash_table_add(search->seen, g_strdup(real))) return; /* gone by now, or met before */
  g_autofree char *folder = g_path_get_dirname(real);
  g_autofree char *fault = trust_fault(real), *folder_fault = trust_fault(folder);
  if (fault)
    refuse(search, path, "%s", fault);
  else if (folder_fault)
    refuse(search, path, "its folder %s is not safe: %s", folder, folder_fault);
  else
    search->file(search->file_data, path);
}

static int by_text(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *sorted_names(const char *folder, GError **error) {
  g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
  if (!dir) return NULL;
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  const char *name;
  while ((name = g_dir_read_name(dir))) g_ptr_array_add(names, g_strdup(name));
  g_ptr_array_sort(names, by_text);
  return names;
}

static void meet_names(const struct search *search, const char *folder, const GPtrArray *names) {
  for (guint k = 0; k < names->len; k++) {
    const char *name = g_ptr_array_index(names, k);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
      if (!g_str_has_suffix(name, ".p")) search_folder(search, path); /* meson's own */
    } else if (g_str_has_suffix(name, ".so")) {
      meet_file(search, path);
    }
  }
}

void search_folder(const struct search *search, const char *folder) {
  g_autofree char *real = realpath(folder, NULL);
  if (!real) {
    refuse(search, folder, "cannot be searched: %s", g_strerror(errno));
    return;
  }
  if (!g_hash_table_add(search->seen, g_strdup(real))) return;
  g_autofree char *fault = trust_fault(real);
  if (fault) {
    refuse(search, real, "nothing in this folder is loaded: %s", fault);
    return;
  }
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) names = sorted_names(real, &error);
  if (names)
    meet_names(search, real, names);
  else
    refuse(search, real, "cannot be searched: %s", error->message);
}
