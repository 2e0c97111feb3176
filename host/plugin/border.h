/* SPDX-License-Identifier: MIT */
/** What plugins leave in tensors at their border, and round them. Errors are DOVETAIL_FAILED and name the tensor. */
#ifndef PLUGIN_BORDER_H
#define PLUGIN_BORDER_H

#include "plugin/module.h"

/** Whether a tensor still is the one that the host made: its memory, type and shape. */
gboolean border_same(const struct dvt_tensor *tensor, const struct dvt_tensor *made, const char *name, GError **error);

/** Whether all values are finite and nothing round them, which is memory of guard_floats, was overwritten. */
gboolean border_good(const struct dvt_tensor *tensor, const char *name, GError **error);

/**
 * The same of an arena of a module, weight by weight: its values (module->values) or the gradients of a pass. `name`
 * says which.
 */
gboolean border_arena_good(const struct module *module, const float *arena, gsize size, const char *name,
                           GError **error);

#endif
