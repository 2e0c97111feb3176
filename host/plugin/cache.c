/* SPDX-License-Identifier: MIT */
#include "plugin/cache.h"

#include <string.h>
#include <sys/stat.h>

#include "plugin/cache_file.h"
#include "plugin/places.h"

struct cache {
  char *path;
  json_t *content; /* {"for": identity, "files": {PATH: {"stamp": …, "found": …}}} */
  json_t *files;   /* of content */
};

char *cache_stamp(const char *path) {
  struct stat info;
  if (stat(path, &info)) return g_strdup("none");
  return g_strdup_printf("%" G_GINT64_FORMAT " bytes, %" G_GINT64_FORMAT ".%09ld", (gint64)info.st_size,
                         (gint64)info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
}

/* All that decides about a plugin but the plugin's file. ldconfig renews ld.so.cache when a library comes or goes. */
static char *identity(guint seconds) {
  const char *path = g_getenv("LD_LIBRARY_PATH");
  g_autofree char *scanner = places_scanner();
  g_autofree char *program = cache_stamp(scanner), *libraries = cache_stamp("/etc/ld.so.cache");
  g_autofree char *text =
      g_strdup_printf("dovetail %s, ABI %d.%d; %u s; %s: %s; libraries: %s; LD_LIBRARY_PATH: %s", DOVETAIL_VERSION,
                      DVT_ABI_MAJOR, DVT_ABI_MINOR, seconds, scanner, program, libraries, path ? path : "");
  return g_utf8_make_valid(text, -1);
}

/* JSON's keys are UTF-8; a path can be any bytes. */
static char *key_of(const char *path) { return g_uri_escape_string(path, "/", TRUE); }

struct cache *cache_open(guint seconds) {
  struct cache *cache = g_new(struct cache, 1);
  g_autofree char *wanted = identity(seconds);
  cache->path = cache_file_path("plugins.json");
  cache->content = cache_file_read(cache->path);
  const char *known = json_string_value(json_object_get(cache->content, "for"));
  cache->files = json_object_get(cache->content, "files");
  if (known && !strcmp(known, wanted) && json_is_object(cache->files)) return cache;
  json_decref(cache->content);
  cache->files = json_object();
  cache->content = json_pack("{ss so}", "for", wanted, "files", cache->files);
  return cache;
}

void cache_free(struct cache *cache) {
  if (!cache) return;
  json_decref(cache->content);
  g_free(cache->path);
  g_free(cache);
}

json_t *cache_get(const struct cache *cache, const char *path, const char *stamp) {
  g_autofree char *key = key_of(path);
  const json_t *entry = json_object_get(cache->files, key);
  const char *known = json_string_value(json_object_get(entry, "stamp"));
  json_t *found = json_object_get(entry, "found");
  return known && !strcmp(known, stamp) && found_is_good(found) ? found : NULL;
}

void cache_put(struct cache *cache, const char *path, const char *stamp, json_t *found) {
  g_autofree char *key = key_of(path);
  json_object_set_new(cache->files, key, json_pack("{ss sO}", "stamp", stamp, "found", found));
}

static void forget_missing(json_t *files) {
  const char *key;
  json_t *entry;
  void *next;
  json_object_foreach_safe(files, next, key, entry) {
    g_autofree char *path = g_uri_unescape_string(key, NULL);
    if (!path || !g_file_test(path, G_FILE_TEST_EXISTS)) json_object_del(files, key);
  }
}

void cache_save(struct cache *cache) {
  forget_missing(cache->files);
  cache_file_write(cache->path, cache->content, JSON_INDENT(1), "what was found in plugins is not kept");
}
