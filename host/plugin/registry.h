/* SPDX-License-Identifier: MIT */
/**
 * The plugins that are there. What they are is learnt in another process, or from the cache (scan.h); a plugin comes
 * into this one when it is used, and then stays: nothing is ever closed.
 */
#ifndef PLUGIN_REGISTRY_H
#define PLUGIN_REGISTRY_H

#include <dovetail/plugin.h>

#include "base/auto.h"
#include "base/error.h"

struct registry;

/** A plugin that was found. Belongs to the registry. */
struct registry_plugin {
  enum dvt_kind kind;
  const char *name, *version, *description, *author, *licence;
  const char *abi; /**< "MAJOR.MINOR" of the headers it was built with */
  const char *path;
  const struct dvt_plugin *descriptor; /**< NULL until registry_find has loaded it */
};

/** A file or folder that was not taken. Belongs to the registry. */
struct registry_refusal {
  char *path;
  char *reason; /**< one sentence */
};

struct registry *registry_new(void);
void registry_free(struct registry *registry);
AUTO_DEFINE(registry, registry_free)

/**
 * Looks into every *.so below a folder (search.h). A file that is no usable plugin, and a folder that cannot be
 * searched or that others may write to, is remembered with the reason. Of two plugins with one kind and name, the
 * first found is kept. No file is met twice, in whatever call.
 */
void registry_scan(struct registry *registry, const char *folder);

/** The same for all folders where plugins are looked for (places.h), first `extra` (NULL-terminated, or NULL). */
void registry_scan_default(struct registry *registry, const char *const *extra);

/**
 * The plugin of a kind by its name, loaded; NULL with DOVETAIL_WRONG at `mark` and the nearest name, the reason when a
 * file of that name, or a folder that holds one, was refused, or what has become of the file since it was scanned. In
 * one thread at a time.
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
