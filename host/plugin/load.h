/* SPDX-License-Identifier: MIT */
/** Loading one .so into this process. */
#ifndef PLUGIN_LOAD_H
#define PLUGIN_LOAD_H

#include <dovetail/plugin.h>

/**
 * Loads a file, which runs its constructors and nothing else of it, and checks all its descriptors. Returns the first,
 * good for ever: nothing is closed. NULL, and *reason set to one sentence that the caller frees, when it is no plugin
 * that this host can use.
 */
const struct dvt_plugin *plugin_load(const char *path, char **reason);

#endif
