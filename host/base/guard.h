/* SPDX-License-Identifier: MIT */
/** Memory between two zones of known bytes, by which it is seen that something was written past one of its ends. */
#ifndef BASE_GUARD_H
#define BASE_GUARD_H

#include <glib.h>

/** As memory_floats, between guard zones. The caller frees it with guard_free. */
float *guard_floats(gsize count, GError **error);

/** Takes NULL. */
void guard_free(float *memory);

/** Whether both zones round memory of guard_floats are as they were. */
gboolean guard_intact(const float *memory);

#endif
