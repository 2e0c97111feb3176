/* SPDX-License-Identifier: MIT */
/** New plugin projects: a source that builds, passes conformance and runs, for its author to change. */
#ifndef SCAFFOLD_SCAFFOLD_H
#define SCAFFOLD_SCAFFOLD_H

#include <dovetail/plugin.h>

#include "base/error.h"

/**
 * Writes a project for a plugin of a kind and name into `folder`, which is made, parents too, or is there and empty.
 * DOVETAIL_WRONG for a name that no plugin may have, or a folder that holds something: nothing is ever overwritten.
 * DOVETAIL_FAILED names the file that could not be written; those before it stay.
 */
gboolean scaffold_write(enum dvt_kind kind, const char *name, const char *folder, GError **error);

#endif
