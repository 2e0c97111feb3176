/* SPDX-License-Identifier: MIT */
/**
 * Mean and variance of every channel of [n, C, H, W], to nearly full float32 precision. oneDNN's batch norm adds up
 * float32 one after another, over the whole batch, and so errs by some 1e-6 of a standard deviation in every layer,
 * which over twenty layers turns the sign of enough ReLU inputs to spoil gradients; and it reads the data twice.
 */
#ifndef NN_STATISTICS_H
#define NN_STATISTICS_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>

struct statistics {
  int64_t images, channels, positions;
  int64_t image_stride, block_stride; /* floats */
  int64_t block;                      /* channels that lie side by side: 1, or a multiple of 8 */
};

/** Learns the layout of a tensor. False when channels lie side by side in numbers that are no multiple of 8. */
bool statistics_init(struct statistics *statistics, const dnnl_memory_desc_t *md);

/** Floats of working memory that statistics_compute needs. */
int64_t statistics_scratch(const struct statistics *statistics);

/** mean[C], variance[C] (biased) of x; scratch is aligned to 8 bytes. The same bits for any number of threads. */
void statistics_compute(const struct statistics *statistics, const float *x, void *scratch, float *mean,
                        float *variance);

#endif
