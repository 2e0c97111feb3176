/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

__attribute__((constructor)) static void begin(void) { exit(3); }

#define NAME "exit"
#include "descriptor.h"
