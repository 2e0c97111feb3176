/* SPDX-License-Identifier: MIT */
/** Threads of GNU OpenMP, which are those that oneDNN runs on: work of our own takes no others beside them. */
#ifndef NN_THREADS_H
#define NN_THREADS_H

#include <stdint.h>

/** How many threads the calling thread may use, itself among them, here and in oneDNN. */
void threads_limit(uint32_t count);

/** Calls body(data, k) for every k below count, spread over the threads, and returns when all are done. */
void threads_run(int64_t count, void (*body)(void *data, int64_t k), void *data);

#endif
