/* SPDX-License-Identifier: MIT */
/*
 * Where registry_scan_default looks, in this order:
 *   1. the folders given to it
 *   2. those of DOVETAIL_PLUGIN_PATH, with ':' between them
 *   3. $XDG_DATA_HOME/dovetail/plugins
 *   4. those of the program itself: BUILD/plugins when it is BUILD/host/dovetail, else LIBDIR/dovetail/plugins beside
 *      the folder that holds the program, wherever that was moved to
 */
#include "plugin/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "plugin/check.h"
#include "plugin/library.h"

struct registry {
  GPtrArray *plugins, *refusals;
  GHashTable *folders; /* real paths of those that were scanned: none twice, and no circle of links */
};

static void registry_plugin_free(gpointer data) {
  struct registry_plugin *plugin = data;
  g_free(plugin->path);
  g_free(plugin);
}

static void registry_refusal_free(gpointer data) {
  struct registry_refusal *refusal = data;
  g_free(refusal->path);
  g_free(refusal->reason);
  g_free(refusal);
}

struct registry *registry_new(void) {
  struct registry *registry = g_new(struct registry, 1);
  registry->plugins = g_ptr_array_new_with_free_func(registry_plugin_free);
  registry->refusals = g_ptr_array_new_with_free_func(registry_refusal_free);
  registry->folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return registry;
}

void registry_free(struct registry *registry) {
  if (!registry) return;
  g_ptr_array_unref(registry->plugins);
  g_ptr_array_unref(registry->refusals);
  g_hash_table_unref(registry->folders);
  g_free(registry);
}

static void refuse(struct registry *registry, const char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void refuse(struct registry *registry, const char *path, const char *format, ...) {
  struct registry_refusal *refusal = g_new(struct registry_refusal, 1);
  va_list arguments;
  va_start(arguments, format);
  refusal->path = g_strdup(path);
  refusal->reason = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_ptr_array_add(registry->refusals, refusal);
}

static struct registry_plugin *find(const struct registry *registry, enum dvt_kind kind, const char *name) {
  for (guint k = 0; k < registry->plugins->len; k++) {
    struct registry_plugin *plugin = g_ptr_array_index(registry->plugins, k);
    if (plugin->descriptor->kind == kind && !strcmp(plugin->descriptor->name, name)) return plugin;
  }
  return NULL;
}

static void add_plugin(struct registry *registry, const char *path, const struct dvt_plugin *descriptor) {
  const struct registry_plugin *first = find(registry, descriptor->kind, descriptor->name);
  if (first && first->descriptor == descriptor) return; /* one file by two paths */
  if (first) {
    refuse(registry, path, "name of another plugin: %s '%s' is already loaded from %s",
           registry_kind_name(descriptor->kind), descriptor->name, first->path);
    return;
  }
  struct registry_plugin *plugin = g_new(struct registry_plugin, 1);
  *plugin = (struct registry_plugin){descriptor, g_strdup(path)};
  g_ptr_array_add(registry->plugins, plugin);
}

static void load_file(struct registry *registry, const char *path) {
  g_autofree char *reason = NULL;
  const struct dvt_plugin *descriptor = library_open(path, &reason);
  if (!descriptor || !plugin_check(descriptor, &reason))
    refuse(registry, path, "%s", reason);
  else
    for (; descriptor; descriptor = descriptor->next) add_plugin(registry, path, descriptor);
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

static void scan_folder(struct registry *registry, const char *folder) {
  g_autofree char *real = realpath(folder, NULL);
  if (!real) {
    refuse(registry, folder, "cannot be searched: %s", g_strerror(errno));
    return;
  }
  if (!g_hash_table_add(registry->folders, g_strdup(real))) return;
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) names = sorted_names(real, &error);
  if (!names) {
    refuse(registry, real, "cannot be searched: %s", error->message);
    return;
  }
  for (guint k = 0; k < names->len; k++) {
    const char *name = g_ptr_array_index(names, k);
    g_autofree char *path = g_build_filename(real, name, NULL);
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
      if (!g_str_has_suffix(name, ".p")) scan_folder(registry, path); /* meson's own */
    } else if (g_str_has_suffix(name, ".so")) {
      load_file(registry, path);
    }
  }
}

static int by_kind_and_name(gconstpointer a, gconstpointer b) {
  const struct dvt_plugin *first = (*(struct registry_plugin *const *)a)->descriptor;
  const struct dvt_plugin *second = (*(struct registry_plugin *const *)b)->descriptor;
  if (first->kind != second->kind) return first->kind < second->kind ? -1 : 1;
  return strcmp(first->name, second->name);
}

static int by_path(gconstpointer a, gconstpointer b) {
  return strcmp((*(struct registry_refusal *const *)a)->path, (*(struct registry_refusal *const *)b)->path);
}

void registry_scan(struct registry *registry, const char *folder) {
  scan_folder(registry, folder);
  g_ptr_array_sort(registry->plugins, by_kind_and_name);
  g_ptr_array_sort(registry->refusals, by_path);
}

static void scan_if_there(struct registry *registry, const char *folder) {
  if (g_file_test(folder, G_FILE_TEST_IS_DIR)) registry_scan(registry, folder);
}

static void scan_all(struct registry *registry, const char *const *folders) {
  for (; folders && *folders; folders++)
    if (**folders) registry_scan(registry, *folders);
}

/* The fourth place; see the top. */
static char *own_folder(void) {
  g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
  if (!program) return g_strdup("");
  g_autofree char *folder = g_path_get_dirname(program);
  g_autofree char *name = g_path_get_basename(folder);
  g_autofree char *build = g_path_get_dirname(folder);
  g_autofree char *built = g_build_filename(build, "plugins", NULL);
  g_autofree char *mark = g_build_filename(build, "meson-info", NULL);
  if (!strcmp(name, "host") && g_file_test(built, G_FILE_TEST_IS_DIR) && g_file_test(mark, G_FILE_TEST_IS_DIR))
    return g_steal_pointer(&built);
  g_autofree char *libdir =
      g_path_is_absolute(DOVETAIL_LIBDIR) ? g_strdup(DOVETAIL_LIBDIR) : g_build_filename(build, DOVETAIL_LIBDIR, NULL);
  return g_build_filename(libdir, "dovetail", "plugins", NULL);
}

void registry_scan_default(struct registry *registry, const char *const *extra) {
  g_auto(GStrv) path = g_strsplit(g_getenv("DOVETAIL_PLUGIN_PATH") ? g_getenv("DOVETAIL_PLUGIN_PATH") : "", ":", -1);
  g_autofree char *user = g_build_filename(g_get_user_data_dir(), "dovetail", "plugins", NULL);
  g_autofree char *own = own_folder();
  scan_all(registry, extra);
  scan_all(registry, (const char *const *)path);
  scan_if_there(registry, user);
  scan_if_there(registry, own);
}

/* NULL when no file named after the plugin was refused. */
static const struct registry_refusal *find_refusal(const struct registry *registry, const char *name) {
  g_autofree char *file = g_strdup_printf("%s.so", name);
  for (guint k = 0; k < registry->refusals->len; k++) {
    const struct registry_refusal *refusal = g_ptr_array_index(registry->refusals, k);
    const char *base = strrchr(refusal->path, '/');
    if (base && !strcmp(base + 1, file)) return refusal;
  }
  return NULL;
}

const struct registry_plugin *registry_find(const struct registry *registry, enum dvt_kind kind, const char *name,
                                            struct mark mark, GError **error) {
  const struct registry_plugin *found = find(registry, kind, name);
  if (found) return found;
  const struct registry_refusal *refusal = find_refusal(registry, name);
  if (refusal) {
    error_at(error, mark, "no %s '%s': %s was refused: %s", registry_kind_name(kind), name, refusal->path,
             refusal->reason);
    return NULL;
  }
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint k = 0; k < registry->plugins->len; k++) {
    const struct dvt_plugin *plugin = ((struct registry_plugin *)g_ptr_array_index(registry->plugins, k))->descriptor;
    if (plugin->kind == kind) g_ptr_array_add(names, (void *)plugin->name);
  }
  g_autofree char *hint = nearest_hint(name, (const char *const *)names->pdata, names->len);
  error_at(error, mark, "unknown %s '%s'%s", registry_kind_name(kind), name,
           names->len ? hint : "; no plugin of this kind was found");
  return NULL;
}

const GPtrArray *registry_plugins(const struct registry *registry) { return registry->plugins; }

const GPtrArray *registry_refusals(const struct registry *registry) { return registry->refusals; }

const char *registry_kind_name(enum dvt_kind kind) {
  static const char *const names[] = {
      [DVT_KIND_BACKBONE] = "backbone", [DVT_KIND_HEAD] = "head", [DVT_KIND_ALIGNER] = "aligner",
      [DVT_KIND_DATASET] = "dataset"};
  return names[kind];
}
