/* SPDX-License-Identifier: MIT */
/** Whole files: mapped for reading, replaced in one step. */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include <jansson.h>

#include "base/error.h"

struct file_part {
  const void *data;
  gsize size;
};

/** Maps a regular file; what is none (a folder, a pipe) is an error. NULL with DOVETAIL_FAILED that names the file. */
GMappedFile *file_map(const char *path, GError **error);

/**
 * What a map holds, as JSON in which no key may stand twice; takes the map. NULL when it is damaged: `fault`, which may
 * be NULL, says where. The caller owns it.
 */
json_t *file_json(GMappedFile *map, json_error_t *fault);

/**
 * Makes `path` a file of these parts, one after another: a temporary file beside it, fsync, rename, fsync of the
 * folder. Whoever reads `path`, also after a kill or a crash, finds the old file or the new one, whole.
 * DOVETAIL_FAILED names what could not be written; `path` is as it was then and nothing is left beside it. (But for
 * one case, which the message tells: when only the last step failed, `path` is new already.)
 */
gboolean file_replace(const char *path, const struct file_part *parts, guint count, GError **error);

#endif
