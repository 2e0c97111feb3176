/* SPDX-License-Identifier: MIT */
/** The element types of the safetensors format. */
#ifndef STORE_DTYPE_H
#define STORE_DTYPE_H

#include <glib.h>

struct dtype {
  const char *name;
  guint bits; /**< of one element */
};

/** The type of a name as files have it, constant; NULL when there is none. */
const struct dtype *dtype_find(const char *name);

/** Bytes of a dense tensor; FALSE when they are too many to count, or not whole bytes. */
gboolean dtype_size(const struct dtype *dtype, const gint64 *shape, guint rank, gsize *size);

#endif
