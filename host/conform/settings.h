/* SPDX-License-Identifier: MIT */
/** Settings of a plugin's parameters, as an experiment would write them. */
#ifndef CONFORM_SETTINGS_H
#define CONFORM_SETTINGS_H

#include "config/values.h"
#include "conform/probe.h"

/** A list of "PARAMETER=VALUE". The caller frees it with g_ptr_array_unref. */
GPtrArray *settings_new(void);

/** Appends one for a parameter; the value is put in quotes where its type is text. */
void settings_add(GPtrArray *settings, const struct dvt_param *param, const char *value);

/** The list as "a=1, b=2" for messages, or "its defaults". The caller frees it. */
char *settings_text(const GPtrArray *settings);

/**
 * Checks settings against the table, the defaults and the user's --set below them; required parameters get their first
 * choice or least value. NULL with DOVETAIL_WRONG when a value is refused, with DOVETAIL_FAILED when one is needed that
 * only the user knows. settings: NULL: none. The caller frees the values.
 */
struct values *settings_values(const struct conform_options *options, const struct dvt_plugin *plugin,
                               const GPtrArray *settings, GError **error);

/** Whether the user's --set are right: each of a parameter of one of the plugins from `first` on, with a legal value.
 */
gboolean settings_check(const struct conform_options *options, const struct dvt_plugin *first, GError **error);

/** The ends of a parameter's range, as text; NULL when it has none. The caller frees it. */
char *settings_end(const struct dvt_param *param, gboolean greatest);

/** A random legal value of a parameter, as text; NULL for a path. The caller frees it. */
char *settings_random(const struct dvt_param *param, const guint32 words[2]);

#endif
