/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

__attribute__((constructor)) static void begin(void) { abort(); }

#define NAME "abort"
#include "descriptor.h"
