/* SPDX-License-Identifier: MIT */
/** Loading one .so into this process. */
#ifndef PLUGIN_LOAD_H
#define PLUGIN_LOAD_H

#include <dovetail/plugin.h>

/** Why a path is nothing that could be loaded, or NULL. */
const char *plugin_file_fault(const char *path);

/**
 * Loads a file, which runs its constructors and nothing else of it. Returns its first descriptor, which nobody has
 * judged yet, good for ever: nothing is closed. NULL, and *reason set to one sentence that the caller frees, when it is
 * no regular file, cannot be loaded or has no descriptor.
 */
const struct dvt_plugin *plugin_open(const char *path, char **reason);

/** As plugin_open, and checks all its descriptors: NULL with *reason when this host cannot use them. */
const struct dvt_plugin *plugin_load(const char *path, char **reason);

#endif
