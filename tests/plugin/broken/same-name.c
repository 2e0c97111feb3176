/* SPDX-License-Identifier: MIT */
/* As good.c, which is scanned first. */
#include "descriptor.h"
