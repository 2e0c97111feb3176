/* SPDX-License-Identifier: MIT */
/**
 * Vectors of LANES numbers, for the kernels alone: inlined everywhere, so that none is handed from file to file. LANES
 * is what the build sets for the instruction set.
 */
#ifndef NN_VECTORS_H
#define NN_VECTORS_H

#include <stdint.h>
#include <string.h>

#include "blocked.h"

#define INLINE static inline __attribute__((always_inline))

typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));
typedef uint32_t words __attribute__((vector_size(LANES * sizeof(uint32_t)), aligned(sizeof(uint32_t)), may_alias));
typedef uint16_t halves __attribute__((vector_size(LANES * sizeof(uint16_t)), aligned(sizeof(uint16_t)), may_alias));

/** Channels that are worked on together. */
INLINE int64_t group_of(const struct blocked *blocked) { return blocked->block == 1 ? 1 : LANES; }

/** LANES numbers of a tensor from element `at` on; `half`: they are bfloat16, the upper half of a float32. */
INLINE lanes load(const void *tensor, int64_t at, const bool half) {
  if (!half) return *(const lanes *)((const float *)tensor + at);
  return (lanes)(__builtin_convertvector(*(const halves *)((const uint16_t *)tensor + at), words) << 16);
}

/** As bfloat16 rounded to nearest, ties to even; what is not a number stays so if it is the processor's own. */
INLINE void store(void *tensor, int64_t at, lanes value, const bool half) {
  if (!half) {
    *(lanes *)((float *)tensor + at) = value;
    return;
  }
  words bits = (words)value;
  bits = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  *(halves *)((uint16_t *)tensor + at) = __builtin_convertvector(bits, halves);
}

/** The first n numbers, zeros behind them; n is LANES but at the end of a tensor or row. */
INLINE lanes load_some(const void *tensor, int64_t at, const bool half, const int64_t n) {
  const size_t size = half ? sizeof(uint16_t) : sizeof(float);
  float some[LANES] = {0};
  if (n == LANES) return load(tensor, at, half);
  memcpy(some, (const char *)tensor + (size_t)at * size, (size_t)n * size);
  return load(some, 0, half);
}

INLINE void store_some(void *tensor, int64_t at, lanes value, const bool half, const int64_t n) {
  const size_t size = half ? sizeof(uint16_t) : sizeof(float);
  float some[LANES];
  if (n == LANES) {
    store(tensor, at, value, half);
    return;
  }
  store(some, 0, value, half);
  memcpy((char *)tensor + (size_t)at * size, some, (size_t)n * size);
}

#endif
