/* SPDX-License-Identifier: MIT */
/**
 * Finding, loading and checking plugins. A plugin, once loaded, stays: nothing is ever closed.
 */
#ifndef PLUGIN_REGISTRY_H
#define PLUGIN_REGISTRY_H

#include <dovetail/plugin.h>

#include "base/auto.h"
#include "base/error.h"

struct registry;

/** A plugin that loaded. Belongs to the registry. */
struct registry_plugin {
  const struct dvt_plugin *descriptor;
  char *path;
};

/** A file that did not. Belongs to the registry. */
struct registry_refusal {
  char *path;
  char *reason; /**< one sentence */
};

struct registry *registry_new(void);
void registry_free(struct registry *registry);
AUTO_DEFINE(registry, registry_free)

/**
 * Loads every *.so below a folder (subfolders too, in sorted order; a folder that was scanned before is skipped). A
 * file that is no usable plugin, and a folder that cannot be searched, is remembered with the reason. Of two plugins
 * with one kind and name, the first found is kept.
 */
void registry_scan(struct registry *registry, const char *folder);

/** Scans the folders where plugins are looked for, first `extra` (NULL-terminated, or NULL). registry.c lists them. */
void registry_scan_default(struct registry *registry, const char *const *extra);

/**
 * The plugin of a kind by its name; NULL with DOVETAIL_WRONG at `mark` and the nearest name, or the reason when a
 * file of that name was refused.
 */
const struct registry_plugin *registry_find(const struct registry *registry, enum dvt_kind kind, const char *name,
                                            struct mark mark, GError **error);

/** All of them, sorted by kind and name: GPtrArray of struct registry_plugin. Belongs to the registry. */
const GPtrArray *registry_plugins(const struct registry *registry);

/** GPtrArray of struct registry_refusal, sorted by path. Belongs to the registry. */
const GPtrArray *registry_refusals(const struct registry *registry);

/** "backbone", "head", "aligner", "dataset". */
const char *registry_kind_name(enum dvt_kind kind);

#endif
