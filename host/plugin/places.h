/* SPDX-License-Identifier: MIT */
/** Where plugins and the program that scans them are. */
#ifndef PLUGIN_PLACES_H
#define PLUGIN_PLACES_H

#include <glib.h>

/**
 * The folders to look for plugins in, in this order. The caller frees the list with g_strfreev.
 *   1. `extra` (NULL-terminated, or NULL)
 *   2. those of DOVETAIL_PLUGIN_PATH, with ':' between them
 *   3. $XDG_DATA_HOME/dovetail/plugins, if it is there
 *   4. those of the program itself, if they are there: BUILD/plugins when it is BUILD/host/dovetail, else
 *      LIBDIR/dovetail/plugins beside the folder that holds the program, wherever that was moved to
 */
char **places_plugins(const char *const *extra);

/** The path of dovetail-scan: DOVETAIL_SCAN, else in BUILD/host or LIBEXECDIR/dovetail, as above. The caller frees it.
 */
char *places_scanner(void);

#endif
