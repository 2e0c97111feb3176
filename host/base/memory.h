/* SPDX-License-Identifier: MIT */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <glib.h>

/** count floats, zero, aligned to 64 bytes; NULL with DOVETAIL_FAILED when there is no memory. Freed with free(). */
float *memory_floats(gsize count, GError **error);

/** The same of doubles. */
double *memory_doubles(gsize count, GError **error);

#endif
