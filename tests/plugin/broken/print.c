/* SPDX-License-Identifier: MIT */
#include <stdio.h>

__attribute__((constructor)) static void begin(void) { printf("hello from a plugin"); }

#define NAME "print"
#include "descriptor.h"
