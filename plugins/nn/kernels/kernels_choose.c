/* SPDX-License-Identifier: MIT */
#include "kernels.h"

bool kernels_may_use(dnnl_cpu_isa_t instructions) {
  return ((int)dnnl_get_effective_cpu_isa() & (int)instructions) == (int)instructions;
}

#define DECLARE(set)                                                                                                   \
  extern const struct elementwise_kernels elementwise_##set;                                                           \
  extern const struct statistics_kernels statistics_##set;                                                             \
  extern const struct norm_kernels norm_##set;                                                                         \
  extern const struct winograd_kernels winograd_##set;                                                                 \
  static const struct kernels kernels_##set = {#set, &elementwise_##set, &statistics_##set, &norm_##set,               \
                                               &winograd_##set};

DECLARE(baseline)

#ifdef KERNELS_X86
DECLARE(avx2)
DECLARE(avx512)

enum { WIDE = 16 }; /* LANES of AVX-512 */

const struct kernels *kernels_choose(int64_t block) {
  if (kernels_may_use(dnnl_cpu_isa_avx512_core) && (block == 1 || block % WIDE == 0)) return &kernels_avx512;
  return kernels_may_use(dnnl_cpu_isa_avx2) ? &kernels_avx2 : &kernels_baseline;
}
#else
const struct kernels *kernels_choose(int64_t block) {
  (void)block;
  return &kernels_baseline;
}
#endif
