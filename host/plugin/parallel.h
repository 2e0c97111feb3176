/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_PARALLEL_H
#define PLUGIN_PARALLEL_H

#include <glib.h>

enum { PARALLEL_MOST = 256 }; /**< more threads than this are never used, whatever is asked for */

/**
 * Calls body(data, begin, end) over disjoint ranges that together are [0, count), on up to `threads` threads, the
 * caller's among them, and returns when all are done. The ranges depend on count and threads alone. Calls from several
 * threads do not wait for one another. Any thread.
 */
void parallel_for(guint threads, gint64 count, void (*body)(void *data, gint64 begin, gint64 end), void *data);

#endif
