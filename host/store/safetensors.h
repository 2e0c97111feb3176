/* SPDX-License-Identifier: MIT */
/** Files of named tensors in the safetensors format, read with the checks of its reference reader, written strictly. */
#ifndef STORE_SAFETENSORS_H
#define STORE_SAFETENSORS_H

#include "base/auto.h"
#include "base/error.h"

enum { SAFETENSORS_MAX_RANK = 8, SAFETENSORS_MAX_HEADER = 100000000 /**< bytes */ };

struct safetensor {
  const char *name;
  const char *dtype; /**< "F32", "I64", "U8", …: as in the file */
  guint rank;
  gint64 shape[SAFETENSORS_MAX_RANK];
  const void *data; /**< little-endian, dense; not aligned */
  gsize size;       /**< bytes */
};

/** A file, mapped. Everything in it belongs to it. */
struct safetensors {
  char *path;
  GHashTable *metadata; /**< char * to char * */
  GPtrArray *tensors;   /**< struct safetensor, in the order of their data */
  GMappedFile *map;
};

/**
 * Maps and checks a file: every rule of the format, but that the header may begin with white space. Unknown keys of a
 * tensor's entry are ignored. On any violation DOVETAIL_FAILED that names file and tensor. The caller frees it.
 */
struct safetensors *safetensors_read(const char *path, GError **error);
void safetensors_free(struct safetensors *file);
AUTO_DEFINE(safetensors, safetensors_free)

/** The tensor of a name, or NULL. */
const struct safetensor *safetensors_find(const struct safetensors *file, const char *name);

/**
 * Writes tensors[0 .. count), in any order, and metadata (char * to char *, or NULL), in one step as file_replace of
 * store/file.h does: DOVETAIL_FAILED when anything went wrong, and then `path` is as it was. The same tensors and
 * metadata always make the same bytes. Data are given little-endian. What a reader would refuse is an error.
 */
gboolean safetensors_write(const char *path, const struct safetensor *tensors, guint count, GHashTable *metadata,
                           GError **error);

#endif
