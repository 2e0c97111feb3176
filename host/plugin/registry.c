/* SPDX-License-Identifier: MIT */
#include "plugin/registry.h"

#include <string.h>

#include "base/nearest.h"
#include "plugin/load.h"
#include "plugin/places.h"
#include "plugin/scan.h"
#include "plugin/search.h"

struct registry {
  GPtrArray *plugins, *refusals;
  GStringChunk *texts; /* of the plugins */
  GHashTable *seen;    /* of every search */
};

static void registry_refusal_free(gpointer data) {
  struct registry_refusal *refusal = data;
  g_free(refusal->path);
  g_free(refusal->reason);
  g_free(refusal);
}

struct registry *registry_new(void) {
  struct registry *registry = g_new(struct registry, 1);
  registry->plugins = g_ptr_array_new_with_free_func(g_free);
  registry->refusals = g_ptr_array_new_with_free_func(registry_refusal_free);
  registry->texts = g_string_chunk_new(1024);
  registry->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return registry;
}

void registry_free(struct registry *registry) {
  if (!registry) return;
  g_ptr_array_unref(registry->plugins);
  g_ptr_array_unref(registry->refusals);
  g_string_chunk_free(registry->texts);
  g_hash_table_unref(registry->seen);
  g_free(registry);
}

static void refuse(gpointer data, const char *path, const char *reason) {
  struct registry *registry = data;
  struct registry_refusal *refusal = g_new(struct registry_refusal, 1);
  *refusal = (struct registry_refusal){g_strdup(path), g_strdup(reason)};
  g_ptr_array_add(registry->refusals, refusal);
}

static struct registry_plugin *find(const struct registry *registry, enum dvt_kind kind, const char *name) {
  for (guint k = 0; k < registry->plugins->len; k++) {
    struct registry_plugin *plugin = g_ptr_array_index(registry->plugins, k);
    if (plugin->kind == kind && !strcmp(plugin->name, name)) return plugin;
  }
  return NULL;
}

static void add_plugin(struct registry *registry, const char *path, const struct found_plugin *found) {
  const enum dvt_kind kind = (enum dvt_kind)found->kind;
  const struct registry_plugin *first = find(registry, kind, found->name);
  if (first) {
    g_autofree char *reason = g_strdup_printf("name of another plugin: %s '%s' was found in %s before",
                                              registry_kind_name(kind), found->name, first->path);
    refuse(registry, path, reason);
    return;
  }
  GStringChunk *texts = registry->texts;
  struct registry_plugin *plugin = g_new(struct registry_plugin, 1);
  *plugin = (struct registry_plugin){
      .kind = kind,
      .name = g_string_chunk_insert(texts, found->name),
      .version = g_string_chunk_insert(texts, found->version),
      .description = g_string_chunk_insert(texts, found->description),
      .author = g_string_chunk_insert(texts, found->author),
      .licence = g_string_chunk_insert(texts, found->licence),
      .abi = g_string_chunk_insert(texts, found->abi),
      .path = g_string_chunk_insert(texts, path),
  };
  g_ptr_array_add(registry->plugins, plugin);
}

static void add_found(struct registry *registry, const char *path, const json_t *found) {
  const json_t *list = json_object_get(found, "plugins");
  struct found_plugin plugin;
  for (size_t k = 0; k < json_array_size(list); k++)
    if (found_read(json_array_get(list, k), &plugin)) add_plugin(registry, path, &plugin);
  if (!list) refuse(registry, path, json_string_value(json_object_get(found, "refused")));
}

static int by_kind_and_name(gconstpointer a, gconstpointer b) {
  const struct registry_plugin *first = *(struct registry_plugin *const *)a;
  const struct registry_plugin *second = *(struct registry_plugin *const *)b;
  if (first->kind != second->kind) return first->kind < second->kind ? -1 : 1;
  return strcmp(first->name, second->name);
}

static int by_path(gconstpointer a, gconstpointer b) {
  return strcmp((*(struct registry_refusal *const *)a)->path, (*(struct registry_refusal *const *)b)->path);
}

static void add_path(gpointer data, const char *path) { g_ptr_array_add(data, g_strdup(path)); }

static void scan_folders(struct registry *registry, const char *const *folders) {
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  const struct search search = {registry->seen, add_path, refuse, paths, registry};
  for (; *folders; folders++) search_folder(&search, *folders);
  json_t *all = scan_files((char *const *)paths->pdata, paths->len);
  for (guint k = 0; k < paths->len; k++) add_found(registry, paths->pdata[k], json_array_get(all, k));
  json_decref(all);
  g_ptr_array_sort(registry->plugins, by_kind_and_name);
  g_ptr_array_sort(registry->refusals, by_path);
}

void registry_scan(struct registry *registry, const char *folder) {
  scan_folders(registry, (const char *const[]){folder, NULL});
}

void registry_scan_default(struct registry *registry, const char *const *extra) {
  g_auto(GStrv) folders = places_plugins(extra);
  scan_folders(registry, (const char *const *)folders);
}

/* Of a file named after the plugin, or of the folder that holds one; NULL: there is none. */
static const struct registry_refusal *find_refusal(const struct registry *registry, const char *name) {
  g_autofree char *file = g_strdup_printf("%s.so", name);
  for (guint k = 0; k < registry->refusals->len; k++) {
    const struct registry_refusal *refusal = g_ptr_array_index(registry->refusals, k);
    g_autofree char *base = g_path_get_basename(refusal->path), *inside = g_build_filename(refusal->path, file, NULL);
    if (!strcmp(base, file) || g_file_test(inside, G_FILE_TEST_EXISTS)) return refusal;
  }
  return NULL;
}

static gboolean is_same(const struct dvt_plugin *descriptor, const struct registry_plugin *plugin) {
  return descriptor->kind == plugin->kind && !strcmp(descriptor->name, plugin->name) &&
         !strcmp(descriptor->version, plugin->version);
}

/* The file may have changed since it was scanned. */
static gboolean load(struct registry_plugin *plugin, struct mark mark, GError **error) {
  if (plugin->descriptor) return TRUE;
  g_autofree char *reason = NULL;
  const struct dvt_plugin *descriptor = plugin_load(plugin->path, &reason);
  while (descriptor && !is_same(descriptor, plugin)) descriptor = descriptor->next;
  plugin->descriptor = descriptor;
  if (descriptor) return TRUE;
  return error_at(error, mark, "%s '%s' %s was found in %s, but is there no longer: %s",
                  registry_kind_name(plugin->kind), plugin->name, plugin->version, plugin->path,
                  reason ? reason : "the file has other plugins now");
}

static gboolean unknown(const struct registry *registry, enum dvt_kind kind, const char *name, struct mark mark,
                        GError **error) {
  const struct registry_refusal *refusal = find_refusal(registry, name);
  if (refusal)
    return error_at(error, mark, "no %s '%s': %s was refused: %s", registry_kind_name(kind), name, refusal->path,
                    refusal->reason);
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint k = 0; k < registry->plugins->len; k++) {
    const struct registry_plugin *plugin = g_ptr_array_index(registry->plugins, k);
    if (plugin->kind == kind) g_ptr_array_add(names, (void *)plugin->name);
  }
  g_autofree char *hint = nearest_hint(name, (const char *const *)names->pdata, names->len);
  return error_at(error, mark, "unknown %s '%s'%s", registry_kind_name(kind), name,
                  names->len ? hint : "; no plugin of this kind was found");
}

const struct registry_plugin *registry_find(const struct registry *registry, enum dvt_kind kind, const char *name,
                                            struct mark mark, GError **error) {
  struct registry_plugin *found = find(registry, kind, name);
  if (!found) return unknown(registry, kind, name, mark, error), NULL;
  return load(found, mark, error) ? found : NULL;
}

const GPtrArray *registry_plugins(const struct registry *registry) { return registry->plugins; }

const GPtrArray *registry_refusals(const struct registry *registry) { return registry->refusals; }

const char *registry_kind_name(enum dvt_kind kind) {
  static const char *const names[] = {[DVT_KIND_BACKBONE] = "backbone",
                                      [DVT_KIND_HEAD] = "head",
                                      [DVT_KIND_ALIGNER] = "aligner",
                                      [DVT_KIND_DATASET] = "dataset"};
  return names[kind];
}
