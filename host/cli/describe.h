/* SPDX-License-Identifier: MIT */
#ifndef CLI_DESCRIBE_H
#define CLI_DESCRIBE_H

#include <jansson.h>

#include "plugin/registry.h"

/** Images that a backbone is shown with: [3, side, side]. */
enum { DESCRIBE_SIDE = 32 };

/**
 * Everything that can be said of a plugin, as `dovetail inspect --json` prints it. Backbones and datasets are made with
 * the parameters of `sets` ("NAME=VALUE" each; NULL-terminated, or NULL) above their defaults; where that fails, the
 * object has "unavailable", the reason. DOVETAIL_WRONG for a wrong set. The caller owns the object.
 */
json_t *describe_plugin(const struct registry_plugin *plugin, const char *const *sets, GError **error);

#endif
