/* SPDX-License-Identifier: MIT */
/**
 * What was found in a file, as JSON: dovetail-scan says it to the host, and the cache keeps it. Either
 * {"plugins": [{"kind": 1, "name": …, "version": …, "description": …, "author": …, "licence": …, "abi": "1.0"}, …]}
 * or {"refused": "why, in one sentence"}.
 */
#ifndef PLUGIN_FOUND_H
#define PLUGIN_FOUND_H

#include <dovetail/plugin.h>
#include <glib.h>
#include <jansson.h>

/** Of a descriptor that was checked, and all those behind it. */
json_t *found_plugins(const struct dvt_plugin *descriptor);

json_t *found_refused(const char *format, ...) G_GNUC_PRINTF(1, 2);

/** Whether it has one of the two forms, whoever wrote it. NULL has not. */
gboolean found_is_good(const json_t *found);

/** One of the list "plugins". The texts belong to the JSON. */
struct found_plugin {
  int kind;
  const char *name, *version, *description, *author, *licence, *abi;
};

/** FALSE when an entry of the list is none. */
gboolean found_read(const json_t *entry, struct found_plugin *plugin);

#endif
