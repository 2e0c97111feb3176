/* SPDX-License-Identifier: MIT */
#ifndef CLI_DESCRIBE_H
#define CLI_DESCRIBE_H

#include <jansson.h>

#include "plugin/registry.h"

/** Images that a backbone is shown with: [3, side, side]. */
enum { DESCRIBE_SIDE = 32 };

/**
 * Everything that can be said of a plugin, as `dovetail inspect --json` prints it. Backbones and datasets are made with
 * their default parameters; where that fails, the object has "unavailable", the reason. The caller owns the object.
 */
json_t *describe_plugin(const struct registry_plugin *plugin);

#endif
