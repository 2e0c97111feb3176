/* SPDX-License-Identifier: MIT */
/** What the processor can do at most, measured: a short loop of multiplications and additions in registers. */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

#include <glib.h>

/**
 * Operations in a second, a product and its sum being two, of all `threads` together: on float32 with the widest
 * vectors that the processor has; on bfloat16, summed in float32, NaN where it has no instruction for that.
 */
double peak_float32(guint threads);
double peak_bfloat16(guint threads);

#endif
