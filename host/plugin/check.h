/* SPDX-License-Identifier: MIT */
/** Judging a descriptor before anything of its plugin is called. */
#ifndef PLUGIN_CHECK_H
#define PLUGIN_CHECK_H

#include <dovetail/plugin.h>
#include <glib.h>

/** Bytes of struct dvt_plugin in ABI 1.0: so many must be readable at the descriptor. */
#define PLUGIN_SIZE_1_0 (offsetof(struct dvt_plugin, next) + sizeof(const struct dvt_plugin *))

/**
 * Whether this host can use the descriptor and all those linked behind it. If not, *reason is set to one sentence
 * that says what is wrong, which the caller frees.
 */
gboolean plugin_check(const struct dvt_plugin *descriptor, char **reason);

/** Whether a plugin may have this name: lower-case letters, digits and single '-' between them. */
gboolean plugin_name_good(const char *name);

/** What of a descriptor is judged, in this order: each part relies on those before it. */
enum plugin_part { PLUGIN_HEAD, PLUGIN_NAME, PLUGIN_TEXTS, PLUGIN_PARAMS, PLUGIN_OPS, PLUGIN_PARTS };

/** What is wrong with a part of one descriptor whose parts before it are right, or NULL. The caller frees it. */
char *plugin_part_fault(const struct dvt_plugin *plugin, enum plugin_part part);

/** Row k of the parameter table, whatever ABI minor its rows are of. */
const struct dvt_param *plugin_param(const struct dvt_plugin *plugin, guint k);

#endif
