/* SPDX-License-Identifier: MIT */
/** What Linux knows of this process; NaN where it tells nothing. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

/** Seconds since the process began, to a hundredth. */
double process_age(void);

/** The most memory that it has had, in bytes. */
double process_peak_memory(void);

#endif
