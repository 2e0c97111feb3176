/* SPDX-License-Identifier: MIT */
/**
 * What was found in files, kept in $XDG_CACHE_HOME/dovetail/plugins.json. A file is known as long as its size and its
 * time of change stay. All is forgotten when what else decides has changed: the host's version, dovetail-scan, the
 * time limit, the libraries of the system. A damaged cache is an empty one, and one that cannot be written does no
 * harm.
 */
#ifndef PLUGIN_CACHE_H
#define PLUGIN_CACHE_H

#include "base/auto.h"
#include "plugin/found.h"

struct cache;

/** Never NULL. `seconds`: the time limit. */
struct cache *cache_open(guint seconds);
void cache_free(struct cache *cache);
AUTO_DEFINE(cache, cache_free)

/**
 * Size of a file, and when it or its rights were changed, to be taken before it is scanned. The caller frees it.
 */
char *cache_stamp(const char *path);

/** What is known of a file with this stamp; NULL: nothing. Belongs to the cache. */
json_t *cache_get(const struct cache *cache, const char *path, const char *stamp);

/** Keeps what was found, a reference of its own. */
void cache_put(struct cache *cache, const char *path, const char *stamp, json_t *found);

/** Replaces the file in one step, without the files that are there no longer. */
void cache_save(struct cache *cache);

#endif
