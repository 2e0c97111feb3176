/* SPDX-License-Identifier: MIT */
/** Looking into files in another process, so that whatever one of them does while it is loaded harms nobody. */
#ifndef PLUGIN_SCAN_H
#define PLUGIN_SCAN_H

#include "plugin/found.h"

/**
 * What is in each file, in their order: a JSON array of what found.h describes. What the cache knows is taken from
 * there; all others are left to one run of dovetail-scan, if there are any, and the cache keeps what comes out. When
 * that program fails, the reason of each is that, which is not kept.
 */
json_t *scan_files(char *const *paths, guint count);

#endif
