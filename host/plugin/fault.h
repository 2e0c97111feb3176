/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_FAULT_H
#define PLUGIN_FAULT_H

#include <dovetail/error.h>
#include <glib.h>

/** What a plugin that returned `status` said, as valid UTF-8; or that it said nothing. The caller frees it. */
char *fault_text(const struct dvt_error *fault, int status);

#endif
