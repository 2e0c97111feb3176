/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_FAULT_H
#define PLUGIN_FAULT_H

#include <dovetail/error.h>
#include <glib.h>

#include "config/use.h"

/** What a plugin that returned `status` said, as valid UTF-8; or that it said nothing. The caller frees it. */
char *fault_text(const struct dvt_error *fault, int status);

/** The place of what is wrong: the value of the parameter that was blamed, else the plugin's name. NULL: nowhere. */
struct mark fault_mark(const struct dvt_error *fault, const struct plugin_use *use);

#endif
