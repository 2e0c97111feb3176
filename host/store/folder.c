/* SPDX-License-Identifier: MIT */
#include "store/folder.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "store/file.h"

char *folder_path(const char *parent, const char *name, guint counter) {
  return counter > 1 ? g_strdup_printf("%s/%s-%u", parent, name, counter) : g_build_filename(parent, name, NULL);
}

/* 1 for NAME, 2 for NAME-2, …; 0 for what is neither. */
static guint counter_of(const char *entry, const char *name) {
  const gsize length = strlen(name);
  guint64 counter = 0;
  if (!strcmp(entry, name)) return 1;
  if (!g_str_has_prefix(entry, name) || entry[length] != '-' || entry[length + 1] == '0') return 0;
  return g_ascii_string_to_unsigned(entry + length + 1, 10, 2, G_MAXUINT, &counter, NULL) ? (guint)counter : 0;
}

static gint compare_counters(gconstpointer a, gconstpointer b) {
  const guint left = *(const guint *)a, right = *(const guint *)b;
  return (left > right) - (left < right);
}

GArray *folder_counters(const char *parent, const char *name, GError **error) {
  g_autoptr(GArray) counters = g_array_new(FALSE, FALSE, sizeof(guint));
  g_autoptr(GError) fault = NULL;
  g_autoptr(GDir) folder = g_dir_open(parent, 0, &fault);
  if (!folder && fault->code != G_FILE_ERROR_NOENT && fault->code != G_FILE_ERROR_NOTDIR) {
    error_failed(error, "%s: this folder for runs cannot be listed: %s", parent, fault->message);
    return NULL;
  }
  for (const char *entry; folder && (entry = g_dir_read_name(folder));) {
    const guint counter = counter_of(entry, name);
    if (counter) g_array_append_val(counters, counter);
  }
  g_array_sort(counters, compare_counters);
  return g_steal_pointer(&counters);
}

char *folder_make(const char *parent, const char *name, GError **error) {
  if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..")) {
    error_failed(error, "'%s' cannot be the name of a run: it names its directory", name);
    return NULL;
  }
  if (g_mkdir_with_parents(parent, 0777)) {
    error_failed(error, "%s: this folder for runs cannot be made: %s", parent, g_strerror(errno));
    return NULL;
  }
  g_autofree char *path = folder_path(parent, name, 1);
  for (guint counter = 2; g_mkdir(path, 0777); counter++) {
    if (errno != EEXIST) {
      error_failed(error, "%s: the run's directory cannot be made: %s", path, g_strerror(errno));
      return NULL;
    }
    g_free(path);
    path = folder_path(parent, name, counter);
  }
  return g_steal_pointer(&path);
}

gboolean folder_write_text(const char *folder, const char *name, const char *text, GError **error) {
  g_autofree char *path = g_build_filename(folder, name, NULL);
  const struct file_part part = {text, strlen(text)};
  return file_replace(path, &part, 1, error);
}

char *folder_json(const char *folder, const char *name, const json_t *json, gsize layout, GError **error) {
  char *text = json_dumps(json, JSON_REAL_PRECISION(15) | layout);
  if (!text)
    error_failed(error, "%s/%s: a number is not finite or a text is not UTF-8, which JSON cannot hold", folder, name);
  return text;
}

gboolean folder_write_json(const char *folder, const char *name, const json_t *json, GError **error) {
  g_autofree char *text = folder_json(folder, name, json, JSON_INDENT(2), error);
  if (!text) return FALSE;
  g_autofree char *lines = g_strconcat(text, "\n", NULL);
  return folder_write_text(folder, name, lines, error);
}
