/* SPDX-License-Identifier: MIT */
#include "scaffold/scaffold.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "config/schema.h"
#include "plugin/check.h"
#include "plugin/registry.h"
#include "scaffold/templates.h"

static gboolean is_empty(const char *folder, GError **error) {
  g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
  if (!dir) return FALSE;
  if (!g_dir_read_name(dir)) return TRUE;
  g_set_error(error, DOVETAIL_ERROR, DOVETAIL_WRONG,
              "%s: the folder is not empty, and nothing there is overwritten; name another one", folder);
  return FALSE;
}

static gboolean make_folder(const char *folder, GError **error) {
  if (g_file_test(folder, G_FILE_TEST_IS_DIR)) return is_empty(folder, error);
  if (g_mkdir_with_parents(folder, 0777) == 0) return TRUE;
  return error_failed(error, "%s: the folder cannot be made: %s", folder, g_strerror(errno));
}

/* The text with the plugin's name and kind in it. The caller frees it. */
static char *fill_in(const char *text, const char *kind, const char *name) {
  g_autoptr(GString) filled = g_string_new(text);
  g_string_replace(filled, "@NAME@", name, 0);
  g_string_replace(filled, "@KIND@", kind, 0);
  return g_strdup(filled->str);
}

static gboolean write_file(const struct template_file *file, const char *folder, const char *kind, const char *name,
                           GError **error) {
  g_autofree char *path = g_build_filename(folder, strcmp(file->name, "gitignore") ? file->name : ".gitignore", NULL);
  g_autofree char *text = fill_in(file->text, kind, name);
  return g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, file->mode, error);
}

gboolean scaffold_write(enum dvt_kind kind, const char *name, const char *folder, GError **error) {
  const char *kind_name = registry_kind_name(kind);
  if (strlen(name) > SCHEMA_LONGEST_NAME) { /* it is the name of an experiment too */
    g_set_error(error, DOVETAIL_ERROR, DOVETAIL_WRONG, "'%s' is too long for a name: it takes at most %d letters", name,
                SCHEMA_LONGEST_NAME);
    return FALSE;
  }
  if (!plugin_name_good(name)) {
    g_set_error(error, DOVETAIL_ERROR, DOVETAIL_WRONG,
                "'%s' cannot be the name of a plugin: it takes lower-case letters, digits and single '-' between them",
                name);
    return FALSE;
  }
  if (!make_folder(folder, error)) return FALSE;
  for (const struct template_file *file = template_files; file->kind; file++) {
    const gboolean wanted = !strcmp(file->kind, "common") || !strcmp(file->kind, kind_name);
    if (wanted && !write_file(file, folder, kind_name, name, error)) return FALSE;
  }
  return TRUE;
}
