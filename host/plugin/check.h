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

/** Row k of the parameter table, whatever ABI minor its rows are of. */
const struct dvt_param *plugin_param(const struct dvt_plugin *plugin, guint k);

#endif
