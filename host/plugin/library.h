/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_LIBRARY_H
#define PLUGIN_LIBRARY_H

#include <dovetail/plugin.h>

/**
 * Loads a file, for ever, and returns its descriptor, which nobody has judged yet: plugin_check does. NULL with *reason
 * set to one sentence, which the caller frees, when it is no file that can be loaded or has none.
 */
const struct dvt_plugin *library_open(const char *path, char **reason);

#endif
