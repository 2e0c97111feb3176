/* SPDX-License-Identifier: MIT */
/** A folder that is made once, and the text files in it. All errors are DOVETAIL_FAILED and name the file. */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include <jansson.h>

#include "base/error.h"

/** PARENT/NAME, or with a counter above 1 PARENT/NAME-counter. The caller frees it. */
char *folder_path(const char *parent, const char *name, guint counter);

/**
 * The counters (guint) of PARENT/NAME, PARENT/NAME-2, … that are there, in order; none when there is no such folder as
 * PARENT. The caller frees it; NULL on an error.
 */
GArray *folder_counters(const char *parent, const char *name, GError **error);

/**
 * Makes PARENT/NAME, or PARENT/NAME-2, -3, … when that is taken, by mkdir alone, so two starts never share one; parents
 * are made. Returns the path, which the caller frees; NULL on an error.
 */
char *folder_make(const char *parent, const char *name, GError **error);

/** Makes or replaces a file as file_replace does. */
gboolean folder_write_text(const char *folder, const char *name, const char *text, GError **error);
gboolean folder_write_json(const char *folder, const char *name, const json_t *json, GError **error);

/**
 * JSON as text, with jansson's flags for the layout; numbers have 15 digits, enough for what people read, and 0.1 stays
 * 0.1. NULL, which jansson makes of a number that is not finite, is an error; the names are for its message. The caller
 * frees the text.
 */
char *folder_json(const char *folder, const char *name, const json_t *json, gsize layout, GError **error);

#endif
