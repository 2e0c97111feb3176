/* SPDX-License-Identifier: MIT */
/* Never done with loading. */
__attribute__((constructor)) static void begin(void) {
  for (volatile unsigned long turns = 0;; turns++) continue;
}

#define NAME "hang"
#include "../broken/descriptor.h"
