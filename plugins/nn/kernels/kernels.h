/* SPDX-License-Identifier: MIT */
/**
 * Our own loops over tensors, where oneDNN has none or slow ones. The files that define a KERNEL(…) are compiled once
 * for each instruction set, under -DKERNEL(name)=name_SET -DLANES=numbers of a vector; each gives a table of functions,
 * and kernels_choose.c picks those for this processor and a layout.
 *
 * All work on float32 or bfloat16, which is computed with as float32, and allocate nothing. They run in the thread that
 * calls them, but those of elementwise.h spread the work over the threads of threads.h.
 */
#ifndef NN_KERNELS_H
#define NN_KERNELS_H

#include "elementwise.h"
#include "norm.h"
#include "statistics.h"
#include "winograd.h"

struct kernels {
  const char *name; /**< of the instruction set */
  const struct elementwise_kernels *elementwise;
  const struct statistics_kernels *statistics;
  const struct norm_kernels *norm;
  const struct winograd_kernels *winograd;
};

/** Whether oneDNN uses all these instructions here: the processor has them, and ONEDNN_MAX_CPU_ISA allows them. */
bool kernels_may_use(dnnl_cpu_isa_t instructions);

/**
 * Those for the instructions that oneDNN uses here, with the widest vectors that tensors
 * fill whose channels lie side by side in numbers that are multiples of `block`; 1: in rows, which fill any.
 */
const struct kernels *kernels_choose(int64_t block);

#endif
