/* SPDX-License-Identifier: MIT */
/**
 * JSON files in the user's cache folder, $XDG_CACHE_HOME/dovetail: what can be found out again. Nothing here fails: a
 * file that is damaged is none, and one that cannot be written does no harm.
 */
#ifndef PLUGIN_CACHE_FILE_H
#define PLUGIN_CACHE_FILE_H

#include <jansson.h>

/** The caller frees it. */
char *cache_file_path(const char *name);

/** NULL where there is no regular file or no JSON in it; a pipe is not waited for. The caller owns it. */
json_t *cache_file_read(const char *path);

/** Makes or replaces it; layout: jansson's flags. failure: begins the log's line where it could not be written. */
void cache_file_write(const char *path, const json_t *content, size_t layout, const char *failure);

#endif
