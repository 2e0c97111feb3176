/* SPDX-License-Identifier: MIT */
#include "kernels.h"

#define DECLARE(set)                                                                                                   \
  extern const struct elementwise_kernels elementwise_##set;                                                           \
  extern const struct statistics_kernels statistics_##set;                                                             \
  extern const struct norm_kernels norm_##set;                                                                         \
  extern const struct winograd_kernels winograd_##set;                                                                 \
  static const struct kernels kernels_##set = {&elementwise_##set, &statistics_##set, &norm_##set, &winograd_##set};

DECLARE(baseline)

#ifdef KERNELS_AVX2
DECLARE(avx2)

const struct kernels *kernels_choose(void) {
  return dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx2 ? &kernels_avx2 : &kernels_baseline;
}
#else
const struct kernels *kernels_choose(void) { return &kernels_baseline; }
#endif
