/* SPDX-License-Identifier: MIT */
#ifndef BASE_PROCESSORS_H
#define BASE_PROCESSORS_H

#include <glib.h>

/** How many cores this process may run on, as when first asked: `taskset` and the like are heeded. Any thread. */
guint processors_usable(void);

#endif
