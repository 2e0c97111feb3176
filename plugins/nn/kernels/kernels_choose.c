/* SPDX-License-Identifier: MIT */
#include "kernels.h"

#define DECLARE(set)                                                                                     \
  extern const struct elementwise_kernels elementwise_##set;                                             \
  extern const struct statistics_kernels statistics_##set;                                               \
  extern const struct norm_kernels norm_##set;                                                           \
  extern const struct winograd_kernels winograd_##set;                                                   \
  static const struct kernels kernels_##set = {#set, &elementwise_##set, &statistics_##set, &norm_##set, \
                                               &winograd_##set};

DECLARE(baseline)

#ifdef KERNELS_X86
DECLARE(avx2)
DECLARE(avx512)

enum { WIDE = 16 }; /* numbers of a vector of AVX-512 */

const struct kernels *kernels_choose(int64_t block) {
  const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
  if (isa >= dnnl_cpu_isa_avx512_core && (block == 1 || block % WIDE == 0)) return &kernels_avx512;
  return isa >= dnnl_cpu_isa_avx2 ? &kernels_avx2 : &kernels_baseline;
}
#else
const struct kernels *kernels_choose(int64_t block) {
  (void)block;
  return &kernels_baseline;
}
#endif
